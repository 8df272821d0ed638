"""Lists of calls by the plans of the databases: no filter reads all calls, and every mix finds what
it should.
"""

from typing import Any

import pytest
import pytest_asyncio

from router.domain.calls.call import Call
from router.domain.calls.call_filter import CHOICES, Among, CallFilter, Range
from router.domain.calls.call_order import NEWEST, CallOrder, OrderBy
from router.domain.calls.hours import Hours
from router.domain.calls.search import read_search, search_text
from router.store import plans, walks
from router.store.engine import SqlStore
from tests.integration.searched_calls import ABSENT, ALONE, CALLS, MIXES, SOME_TIME, fill, made


@pytest_asyncio.fixture
async def full(store: SqlStore) -> SqlStore:
    await fill(store)
    return store


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
