"""Lists of calls by the plans of the databases: no filter reads all calls, and every mix finds what
it should.
"""

import itertools
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from sqlalchemy import event

from router.domain.attribution.terms import Verdict
from router.domain.calls.call import Call, Ending, State, Tag
from router.domain.calls.call_filter import CHOICES, Among, CallFilter, Range
from router.domain.calls.call_order import NEWEST, CallOrder, OrderBy
from router.domain.calls.hours import Hours
from router.domain.calls.search import read_search, search_text
from router.store import plans, walks
from router.store.engine import SqlStore
from tests.integration.store_calls import call, save
from tests.support.builders import NOON

CALLS = 240
ABSENT = ("recorded", "target", "spam", "to_review")
SOME_TIME = {"since": NOON + timedelta(hours=1), "until": NOON + timedelta(minutes=90)}
ALONE: tuple[dict[str, Any], ...] = (
    {},
    {"site_id": "shop"},
    {"site_id": "none"},
    {"caller": "+79160000011"},
    {"verdict": Verdict.CONTESTED},
    {"ending": Ending.CUT},
    {"state": State.TALKING},
    {"visitor_id": "visitor-7"},
    {"tag": "Missed"},
    {"tag": "none"},
    {"ending": Among(("cut", "busy"))},
    {"verdict": Among(("exact", ""), excluded=True)},
    {"tag": Among(("missed",), excluded=True)},
    {"employee": "PJSIP/olga"},
    {"scored": "PJSIP/olga"},
    {"talk": Range(20, 40)},
    {"first": True},
    {"recorded": False},
    {"target": False},
    {"spam": True},
    {"to_review": True},
    {"score": Range(50, None)},
    {"campaign": "spring"},
    {"campaign": Among(("spring",), excluded=True)},
    {"employee": Among(("PJSIP/olga", "PJSIP/ivan"))},
    {"site_id": Among(("shop", "other")), "ending": Among(("busy",), excluded=True)},
    {"text": "8 916 000-00-11"},
    {"text": "8 916"},
    {"text": "0011"},
    {"text": "мария"},
    {"text": "я"},
    {"text": "nobody at all"},
    {"hours": Hours(13, 14)},
    {"hours": Hours(15, 1, ZoneInfo("Asia/Kolkata"))},
)
MONTH = {"since": NOON - timedelta(days=20), "until": NOON + timedelta(days=10)}
# not all: each is some statements
MIXES = [
    one | other
    for one, other in itertools.combinations(ALONE[1::2], 2)
    if one.keys() != other.keys()
]


def made(n: int) -> Call:
    """A call that differs from its neighbours in everything a list may ask for."""
    return call(
        f"rt1-{n:04}.0",
        arrived_at=NOON + timedelta(minutes=n // 2),  # two of a moment
        number=f"+749500000{n % 7:02}",
        site_id=("shop", "other", None)[n % 3],
        caller=f"+7916{n * 7 % 100:07}" if n % 10 else None,
        caller_raw="anonymous" if n % 10 == 0 else "",
        caller_name=("Мария Петрова", "Иван", "")[n % 3],
        answered_by=("PJSIP/olga", None)[n % 2],
        verdict=(Verdict.CONTESTED, Verdict.EXACT, None)[n % 3],
        ending=(Ending.CUT, Ending.ANSWERED, Ending.BUSY, Ending.NO_ANSWER)[n % 4],
        state=State.TALKING if n % 50 == 0 else State.ENDED,
        wait_seconds=float(n % 9),
        talk_seconds=float(n % 60),
        visitor_id=f"visitor-{n % 40}",
    )


@pytest_asyncio.fixture
async def full(store: SqlStore) -> AsyncIterator[SqlStore]:
    await save(store, *map(made, range(CALLS)))
    async with store.write() as session:
        await session.tags.add(
            *(
                Tag(call_id=made(n).id, name="missed", author="rule", at=NOON)
                for n in range(0, CALLS, 4)
            )
        )
    yield store


def text_of(call: Call) -> str:
    return search_text(
        call.caller, call.caller_raw, call.caller_name, call.answered_by, call.last_answered_by
    )


def expected(wanted: CallFilter) -> list[str]:
    """The same by reading all of them."""
    everything = [made(n) for n in range(CALLS)]
    callers: set[tuple[str | None, str | None]] = set()
    found = []
    for n, candidate in enumerate(everything):
        first = (
            candidate.caller is not None and (candidate.site_id, candidate.caller) not in callers
        )
        callers.add((candidate.site_id, candidate.caller))
        values = {
            **{name: getattr(candidate, name, None) or "" for name in CHOICES},
            "employee": candidate.answered_by or "",
            "tag": "missed" if n % 4 == 0 else "",
        }
        figures = {"wait": candidate.wait_seconds, "talk": candidate.talk_seconds}
        if (
            all(_is_among(wanted.among(name), values[name]) for name in CHOICES)
            and all(_is_within(getattr(wanted, name), figures[name]) for name in figures)
            and wanted.first in {None, first}
            and all(getattr(wanted, name) in {None, False} for name in ABSENT)
            and wanted.score is None
            and (wanted.since is None or candidate.arrived_at >= wanted.since)
            and (wanted.until is None or candidate.arrived_at < wanted.until)
            and _is_in_hours(wanted.hours, candidate)
            and read_search(wanted.text or "").finds(text_of(candidate))
        ):
            found.append(candidate)
    return [
        call.id for call in sorted(found, key=lambda call: (call.arrived_at, call.id), reverse=True)
    ]


def _is_in_hours(hours: Hours | None, one: Call) -> bool:
    at = one.arrived_at.astimezone(hours.zone).hour if hours else 0
    return hours is None or (at - hours.first) % 24 < hours.length


def _is_among(choice: Among | None, value: str) -> bool:
    chosen = {word.casefold() for word in choice.values} if choice else set()
    return choice is None or (value.casefold() in chosen) is not choice.excluded


def _is_within(limits: Range | None, value: float) -> bool:
    return limits is None or (limits.least or 0) <= value <= (limits.most or value)


@pytest.mark.parametrize("few", [plans.FEW, 0], ids=["few are sorted", "many are walked"])
async def test_every_filter_and_mix_finds_its_calls_in_their_order_page_after_page(
    few: int, full: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "FEW", few)
    async with full.read() as session:
        for fields in (*ALONE, SOME_TIME, *(asked | SOME_TIME for asked in ALONE), *MIXES):
            wanted, found, before = CallFilter(**fields), [], None
            while page := await session.calls.find(wanted, before=before, limit=70):
                found += [call.id for call in page]
                before = (page[-1].arrived_at, page[-1].id)
            assert found == expected(wanted), fields
            every = [made(n).id for n in range(CALLS)]
            assert await session.calls.matching(every, wanted) == set(found), fields
            assert await session.calls.count_some(wanted, 10 * CALLS) == (len(found), True), fields


@pytest.mark.parametrize("windows", [(3, 30)])
async def test_a_bounded_search_finds_the_same_calls_in_more_pages(
    windows: tuple[int, int], full: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walks, "CHEAP", windows)
    monkeypatch.setattr(walks, "COSTLY", windows)
    partial = 0
    async with full.read() as session:
        for fields in (*ALONE[::2], *MIXES[::15]):
            wanted, found, before = CallFilter(**fields), [], None
            while True:
                page = await session.calls.page(
                    wanted, NEWEST, before=before, limit=7, bounded=True
                )
                found += [one.id for one in page.calls]
                partial += page.reached is not None
                before = page.reached or (page.places[-1] if len(page.places) == 7 else None)
                if before is None:
                    break
            assert found == expected(wanted), fields
            count, is_exact = await session.calls.count_some(wanted, 10 * CALLS)
            assert count == len(found) if is_exact else count <= len(found), fields
    assert partial


@pytest.mark.parametrize("few", [plans.FEW, 0], ids=["few are sorted", "many are walked"])
@pytest.mark.parametrize("order", [CallOrder(by=OrderBy.TALK), CallOrder(by=OrderBy.WAIT,
                         ascending=True), CallOrder(ascending=True)], ids=str)  # fmt: skip
async def test_every_filter_is_sorted_page_after_page(
    order: CallOrder, few: int, full: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "FEW", few)
    monkeypatch.setattr(walks, "COSTLY", (20, 60))
    async with full.read() as session:
        for fields in (*ALONE[1::2], SOME_TIME, *MIXES[::20]):
            wanted, found, before = CallFilter(**fields), [], None
            while True:
                page = await session.calls.page(
                    wanted, order, before=before, limit=70, bounded=True
                )
                found += page.calls
                before = page.reached or (page.places[-1] if len(page.places) == 70 else None)
                if before is None:
                    break
            ids = [one.id for one in found]
            assert sorted(ids) == sorted(expected(wanted)), fields
            assert found == sorted(found, key=_key(order), reverse=not order.ascending), fields


def _key(order: CallOrder) -> Any:
    figure = {OrderBy.TALK: "talk_seconds", OrderBy.WAIT: "wait_seconds"}.get(order.by)
    return lambda one: (getattr(one, figure) if figure else 0, one.arrived_at, one.id)


async def test_no_filter_reads_all_calls(full: SqlStore) -> None:
    """As planned for a great table: SQLite plans without sizes, PostgreSQL is given figures of a
    million calls.
    """
    plans: list[tuple[dict[str, Any], str]] = []
    async with full.read() as session:
        connection = session.connection
        if not full.sqlite:
            await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        for fields in (*ALONE, *MIXES, *(asked | MONTH for asked in ALONE)):
            said = await _plan(full, session, CallFilter(**fields))
            plans += [(fields, line) for line in said]
    read_whole = [(fields, line) for fields, line in plans if _reads_all(line)]
    assert read_whole == []


async def test_a_call_is_saved_without_reading_the_calls_of_its_site(full: SqlStore) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "INSERT INTO call_facet" in statement:
            asked.append((statement, parameters))

    engine = full._direct or full._short.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    await save(full, made(1))
    event.remove(engine, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN" if full.sqlite else "EXPLAIN"
    async with full.read() as session:
        if not full.sqlite:
            await session.connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        rows = await session.connection.exec_driver_sql(f"{explain} {asked[0][0]}", asked[0][1])
        plan = "\n".join(str(row[-1]) for row in rows)
    assert "ix_call_caller_arrived_at" in plan, plan
    assert "ix_call_site_id_arrived_at" not in plan, plan


async def _plan(store: SqlStore, session: Any, wanted: CallFilter) -> list[str]:
    """How the database means to find a page of these calls."""
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(store.engine.sync_engine, "before_cursor_execute", note)
    found = await session.calls.find(wanted)
    positions = await session.calls.positions(wanted, before=None, limit=50)
    await session.calls.page(wanted, NEWEST, before=None, limit=50, bounded=True)
    await session.calls.page(
        wanted, CallOrder(by=OrderBy.TALK), before=None, limit=50, bounded=True
    )
    await session.calls.count_some(wanted, CALLS)
    await session.calls.facets([call.id for call in found])
    event.remove(store.engine.sync_engine, "before_cursor_execute", note)
    assert positions == [(call.arrived_at, call.id) for call in found]
    explain = "EXPLAIN QUERY PLAN" if store.sqlite else "EXPLAIN"
    lines: list[str] = []
    for statement, parameters in asked:
        rows = await session.connection.exec_driver_sql(f"{explain} {statement}", parameters)
        lines += [str(row[-1]) for row in rows]
    return lines


def _reads_all(line: str) -> bool:
    """A table read row by row, or a whole index that is not in the order of the list."""
    words = line.strip().lstrip("-> ")
    if words.startswith(("Seq Scan on", "Parallel Seq Scan")):
        return True
    if words == "SCAN call_facet":  # SQLite keeps this table itself in the order of arrival
        return False
    ordered = ("ix_call_search_newest", "ix_call_facet_by_")
    whole = (
        words.startswith(("SCAN call", "SCAN tag", "SCAN recording"))
        and "VIRTUAL TABLE" not in words
    )
    return whole and not any(name in words for name in ordered)
