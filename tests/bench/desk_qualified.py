"""What calls of `desk_seed` count as: rules and their matches, signs of spam, scores."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import Table, insert, text

from router.store import tables
from router.store.direct import AnyConnection
from tests.bench.desk_facts import EMPLOYEES, call_id, caller_of
from tests.bench.desk_seed import Seed

Values = dict[str, Any]
AT_ONCE = 5000
RULES = {"common": 3, "frequent": 40, "rare": 20_000}  # one of so many calls matches
BLOCKED = 5_000
QUESTIONS = [
    {"id": f"question-{n}", "text": f"Question {n}", "hint": "", "kind": "yes_no", "weight": 20,
     "critical": False}
    for n in range(5)
]  # fmt: skip
_COUNTED = (
    "UPDATE call_facet SET target = q.target, spam = q.spam, to_review = q.to_review"
    " FROM qualification q WHERE q.call_id = call_facet.call_id",
    "UPDATE call_facet SET score = s.score, scored = s.employee FROM score s"
    " WHERE s.call_id = call_facet.call_id AND s.scorer = 'boss-1'",
)


async def add_qualified(connection: AnyConnection, seed: Seed) -> None:
    """Write them all, then what lists find the calls by."""
    for table, rows in _tables(seed):
        for batch in batches(rows):
            await connection.execute(insert(table), batch)
    for statement in _COUNTED:
        await connection.execute(text(statement))


def _tables(seed: Seed) -> Iterator[tuple[Table, Iterable[Values]]]:
    yield tables.rule, _rules(seed)
    yield tables.rule_match, _matches(seed)
    yield tables.qualification, _qualifications(seed)
    yield tables.spam_sign, _signs(seed)
    yield tables.blocked_caller, _blocked(seed)
    yield tables.score_card, [_card(seed)]
    yield tables.score, _scores(seed)
    yield tables.score_answer, _answers(seed)


def _rules(seed: Seed) -> Iterator[Values]:
    for name, every in RULES.items():
        yield {
            "id": f"rule-{name}",
            "name": name,
            "query": "ending=answered",
            "target": name != "rare",
            "spam": name == "rare",
            "review": False,
            "state": "active",
            "author": "bench",
            "created_at": seed.end,
            "since": seed.end - timedelta(days=every),
            "past_id": "",
            "past_calls": 0,
            "past_done": 0,
        }


def _matches(seed: Seed) -> Iterator[Values]:
    for name, every in RULES.items():
        for n in range(0, seed.calls, every):
            yield {"rule_id": f"rule-{name}", "call_id": call_id(n)}


def _qualifications(seed: Seed) -> Iterator[Values]:
    for n in range(0, seed.calls, 10):
        counts = {"target": n % 20 == 0, "spam": n % 500 == 10, "to_review": n % 50 == 0}
        yield {"call_id": call_id(n), **counts}


def _signs(seed: Seed) -> Iterator[Values]:
    for n in range(10, seed.calls, 100):
        yield {"call_id": call_id(n), "sign": "never_leased", "facts": {}}


def _blocked(seed: Seed) -> Iterator[Values]:
    for n in range(min(BLOCKED, seed.calls)):
        yield {"id": caller_of(n), "note": "", "author": "bench", "created_at": seed.end}


def _card(seed: Seed) -> Values:
    return {
        "id": "card-1",
        "card_id": "card-1",
        "version": 1,
        "name": "Greeting",
        "query": "",
        "questions": QUESTIONS,
        "state": "published",
        "author": "bench",
        **dict.fromkeys(("created_at", "edited_at", "published_at"), seed.end),
    }


def _scorers(seed: Seed) -> Iterator[tuple[int, str]]:
    """Every 25th call of the newer half has a score, some of them two."""
    for n in range(seed.calls // 2, seed.calls, 25):
        yield n, "boss-1"
        if n % 500 == 0:
            yield n, "boss-2"


def _scores(seed: Seed) -> Iterator[Values]:
    for n, scorer in _scorers(seed):
        yield {
            "id": f"score-{n}-{scorer}",
            "call_id": call_id(n),
            "card_id": "card-1",
            "scorer": scorer,
            "by": "person",
            "employee": EMPLOYEES[n % len(EMPLOYEES)],
            "state": "submitted",
            "score": float(n % 101),
            "started_at": seed.end,
            "submitted_at": seed.end - timedelta(days=550) * (1 - n / seed.calls),
        }


def _answers(seed: Seed) -> Iterator[Values]:
    for n, scorer in _scorers(seed):
        for place, question in enumerate(QUESTIONS):
            yield {
                "score_id": f"score-{n}-{scorer}",
                "question_id": question["id"],
                "value": ("yes", "no")[(n + place) % 3 == 0],
                "comment": "",
                "at_seconds": None,
            }


def batches(rows: Iterable[Values]) -> Iterator[list[Values]]:
    """The rows, a few thousand at a time."""
    batch: list[Values] = []
    for row in rows:
        batch.append(row)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
