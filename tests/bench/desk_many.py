"""Many values of one kind in the newest calls of `desk_seed`: 10,000 tags and campaigns, more than
10,000 employees; and disputes, word lists and mail.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import Table, insert, text

from router.store import tables
from router.store.call_facets import write_facets
from router.store.direct import AnyConnection
from tests.bench.desk_facts import SITES, call_id
from tests.bench.desk_qualified import batches
from tests.bench.desk_seed import DAYS, Seed

Values = dict[str, Any]
RECENT, EVERY = 160_000, 8  # every eighth of the newest calls, less than 90 days of a million
MANY_TAGS = 10_000
AT_ONCE = 500
SETTLED = 3_000  # of the disputes; 300 are open
DISPUTES = 3_300
LISTS, MAILS = 30, 100_000
PHRASES = ("доставка", "размер шины", "price", "нет такого")
_MAIL = {
    "sender": "buyer@example.com",
    "address": "shop@example.org",
    "tag": None,
    "automatic": False,
    "verdict": "unknown",
}
_EMPLOYEES = (
    "UPDATE call SET answered_by = 'agent-' || id, last_answered_by = 'agent-' || id"
    " WHERE answered_by IS NOT NULL AND revision > :first AND revision % :every = 1"
)
_CAMPAIGNS = (
    "UPDATE visit SET campaign = 'spring-' || id WHERE id IN (SELECT visit_id FROM call"
    " WHERE visit_id IS NOT NULL AND revision > :first AND revision % :every = 1)"
)


async def add_many(connection: AnyConnection, seed: Seed) -> None:
    """Write them, then what lists find the changed calls by."""
    first = max(seed.calls - RECENT, 0)
    for statement in (_EMPLOYEES, _CAMPAIGNS):
        await connection.execute(text(statement), {"first": first, "every": EVERY})
    for table, rows in _tables(seed, first):
        for batch in batches(rows):
            await connection.execute(insert(table), batch)
    changed = [call_id(n) for n in range(first, seed.calls, EVERY)]
    for start in range(0, len(changed), AT_ONCE):
        await write_facets(connection, changed[start : start + AT_ONCE])


def _tables(seed: Seed, first: int) -> Iterator[tuple[Table, Iterable[Values]]]:
    yield tables.registered_tag, _registered(seed)
    yield tables.tag, _tags(seed, first)
    yield tables.dispute, _disputes(seed)
    yield tables.word_list, _word_lists(seed)
    yield tables.mail, _mails(seed)


def _registered(seed: Seed) -> Iterator[Values]:
    for n in range(MANY_TAGS):
        yield {"name": f"many-{n:05}", "colour": "blue", "created_at": seed.end}


def _tags(seed: Seed, first: int) -> Iterator[Values]:
    """Each tag twice."""
    for n in range(first, seed.calls, EVERY):
        at = seed.arrived(n)
        name = f"many-{n // EVERY % MANY_TAGS:05}"
        yield {"call_id": call_id(n), "name": name, "author": "anna", "at": at, "arrived_at": at}


def _disputes(seed: Seed) -> Iterator[Values]:
    for place, n in enumerate(range(seed.calls // 2, seed.calls, 25)):
        if place == DISPUTES:
            break
        at = seed.arrived(n)
        row = {"score_id": f"score-{n}-boss-1", "author": "olga", "text": "Not so.", "at": at}
        settled = {"settlement": None, "settled_by": None, "settled_at": None, "answer": ""}
        if place < SETTLED:
            settled = {
                "settlement": "kept",
                "settled_by": "boss-1",
                "settled_at": at + timedelta(hours=1),
                "answer": "Heard again: it is so.",
            }
        yield {**row, **settled, "changes": []}


def _word_lists(seed: Seed) -> Iterator[Values]:
    for n in range(LISTS):
        yield {
            "id": f"list-{n:03}",
            "tag": f"words-{n}",
            "phrases": [*PHRASES, f"слово{n}"] if n % 2 == 0 else [f"слово{n}"],
            "site_id": None,
            "side": None,
            "created_at": seed.end,
        }


def _mails(seed: Seed) -> Iterator[Values]:
    sites = list(SITES)
    for n in range(min(MAILS, seed.calls // 10)):
        at = seed.end - timedelta(days=DAYS) * (n / MAILS)
        own = {"id": f"mail-{n:06}", "message_id": f"<{n}@example.com>", "arrived_at": at}
        yield {**_MAIL, **own, "site_id": sites[n % len(sites)]}
