"""What supervisors and programs added to the calls of `desk_seed`, in tables that the first release
did not have: comments, reviews, transcripts, samples, views, CRM records, open calls.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Table, insert, text, update

from router.domain.calls.stems import search_stems
from router.store import tables
from router.store.call_facets import write_facets
from router.store.direct import AnyConnection
from tests.bench.desk_facts import EMPLOYEES, call_id
from tests.bench.desk_many import add_many
from tests.bench.desk_qualified import add_qualified
from tests.bench.desk_seed import Seed

Values = dict[str, Any]
AT_ONCE = 500
OPEN_CALLS = 40
SAMPLES, SAMPLED = 20, 200
VIEWS, TAGS = 30, 12
SEGMENTS = 6  # of a transcript
WORDS = (
    "шина",
    "колесо",
    "диск",
    "размер",
    "цена",
    "доставка",
    "оплата",
    "самовывоз",
    "склад",
    "завтра",
    "сегодня",
    "адрес",
    "магазин",
    "гарантия",
    "возврат",
    "скидка",
    "рассрочка",
    "карта",
    "наличные",
    "договор",
    "счёт",
    "почта",
    "номер",
    "заказ",
    "клиент",
    "price",
    "delivery",
    "warranty",
    "order",
    "tomorrow",
    "invoice",
)
RARE_WORD = "турбокомпрессор"
_CLOSED = (
    "UPDATE missed_caller SET closed_at = last_at, closed_as = 'called_back_soon'"
    " WHERE tries = 0 AND id NOT IN (SELECT id FROM missed_caller ORDER BY last_at DESC LIMIT 300)"
)
_SILENCES = "UPDATE call_facet SET silence = talk / 10, talk_over = talk / 50 WHERE talk > 0"
_CODES = (
    "UPDATE visit SET code = 'C' || substr(id, 7) WHERE id IN (SELECT visit_id FROM call WHERE"
    " visit_id IS NOT NULL AND revision % 500 = 1)",
    "UPDATE call SET code = 'C' || substr(visit_id, 7)"
    " WHERE visit_id IS NOT NULL AND revision % 500 = 1",
)


async def add_extras(connection: AnyConnection, seed: Seed) -> None:
    """Write them all, then what lists find the changed calls by."""
    for table, rows in _tables(seed):
        for batch in _batches(list(rows)):
            await connection.execute(insert(table), batch)
    for statement in (_SILENCES, *_CODES, _CLOSED):
        await connection.execute(text(statement))
    open_now = [call_id(seed.calls - n) for n in range(1, OPEN_CALLS + 1)]
    states = {"state": "talking", "ending": None, "ended_at": None}
    changed = update(tables.call).where(tables.call.c.id.in_(open_now))
    await connection.execute(changed.values(states))
    touched = {*open_now, *map(call_id, _commented(seed)), *map(call_id, _reviewed(seed))}
    for some in _batches(sorted(touched | set(map(call_id, _recorded_in_crm(seed))))):
        await write_facets(connection, some)
    await add_qualified(connection, seed)
    await add_many(connection, seed)


def _tables(seed: Seed) -> Iterator[tuple[Table, Iterable[Values]]]:
    yield tables.registered_tag, _registered(seed)
    yield tables.comment, _comments(seed)
    yield tables.review, ({"call_id": call_id(n), "person": f"boss-{n % 7}", "at": seed.end}
                          for n in _reviewed(seed))  # fmt: skip
    yield tables.entity, _entities(seed)
    yield tables.transcript, _transcripts(seed)
    yield tables.transcript_segment, _segments(seed)
    yield tables.transcript_text, _texts(seed)
    yield tables.sample, _samples(seed)
    yield tables.sample_call, _sampled(seed)
    yield tables.saved_view, _views(seed)


def _commented(seed: Seed) -> range:
    return range(50, seed.calls, 100)


def _reviewed(seed: Seed) -> range:
    return range(seed.calls // 2, seed.calls, 17)


def _recorded_in_crm(seed: Seed) -> range:
    return range(3, seed.calls, 50)


def _transcribed(seed: Seed) -> range:
    """Every fifth recorded call, and each call of the newest with a recording in their list."""
    return range(0, seed.calls, 25)


def _registered(seed: Seed) -> Iterator[Values]:
    for n, name in enumerate(("complaint", "price", "spam", *(f"tag-{n}" for n in range(TAGS)))):
        digit = n + 1 if n < 9 else None
        yield {"name": name, "colour": "red", "digit": digit, "created_at": seed.end}


def _comments(seed: Seed) -> Iterator[Values]:
    for n in _commented(seed):
        rare = n % 50_000 == 50
        words = " ".join(_words(n, 40)) + (f" {RARE_WORD}" if rare else "")
        yield {
            "id": f"comment-{n:09}",
            "call_id": call_id(n),
            "author": f"boss-{n % 7}",
            "text": words,
            "at": seed.end,
            "private": False,
            "readers": [],
        }


def _entities(seed: Seed) -> Iterator[Values]:
    for n in _recorded_in_crm(seed):
        yield {
            "id": f"entity-{n}",
            "call_id": call_id(n),
            "connection_id": "crm",
            "kind": "deal",
            "external_id": str(5_000_000 + n),
            "created_by": "crm",
            "at": seed.end,
        }


def _transcripts(seed: Seed) -> Iterator[Values]:
    for n in _transcribed(seed):
        times = {"due_at": seed.end, "created_at": seed.end, "done_at": seed.end}
        yield {
            "call_id": call_id(n),
            "rule_id": "all",
            "state": "done",
            "attempts": 1,
            "progress": 1.0,
            **times,
        }


def _segments(seed: Seed) -> Iterator[Values]:
    for n in _transcribed(seed):
        words = _said(n)
        for place in range(SEGMENTS):
            part = words[place::SEGMENTS]
            times = [
                {"text": word, "at": 10.0 * place + at, "until": 10.0 * place + at + 0.4}
                for at, word in enumerate(part)
            ]
            yield {
                "call_id": call_id(n),
                "place": place,
                "side": ("caller", "company")[place % 2],
                "at": 10.0 * place,
                "until": 10.0 * place + 9,
                "text": " ".join(part),
                "words": times,
            }


def _texts(seed: Seed) -> Iterator[Values]:
    for n in _transcribed(seed):
        yield {"call_id": call_id(n), "text": search_stems(_said(n))}


def _said(n: int) -> list[str]:
    rare = [RARE_WORD] if n % 50_000 == 0 else []
    return [*_words(n, 54), f"слово{n % 3000}", *rare]


def _words(n: int, count: int) -> list[str]:
    return random.Random(n).choices(WORDS, k=count)


def _samples(seed: Seed) -> Iterator[Values]:
    for n in range(SAMPLES):
        yield {
            "id": f"sample-{n:03}",
            "name": f"week {n}",
            "query": "site=shop",
            "per_employee": 5,
            "since": date(2026, 11, 2),
            "weeks": 4,
            "seed": str(n),
            "author": "bench",
            "created_at": seed.end,
        }


def _sampled(seed: Seed) -> Iterator[Values]:
    for sample in range(SAMPLES):
        for position in range(SAMPLED):
            n = seed.calls - 1 - OPEN_CALLS - sample - position * 90
            if n < 0:
                break
            yield {
                "sample_id": f"sample-{sample:03}",
                "call_id": call_id(n),
                "position": position,
                "employee": EMPLOYEES[position % len(EMPLOYEES)],
                "week": date(2026, 11, 2) + timedelta(days=7 * (position % 4)),
            }


def _views(seed: Seed) -> Iterator[Values]:
    for n in range(VIEWS):
        yield {
            "id": f"view-{n:03}",
            "name": f"View {n}",
            "query": f"period=7d&campaign=campaign-{n}&not_ending=answered&talk_to=60",
            "columns": [],
            "author": "bench",
            "shared": n % 2 == 0,
            "is_default": False,
            "created_at": seed.end,
            "changed_at": seed.end,
        }


def _batches(rows: Sequence[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(rows), AT_ONCE):
        yield list(rows[start : start + AT_ONCE])
