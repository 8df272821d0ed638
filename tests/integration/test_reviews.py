"""Reviewed calls."""

import asyncio
from datetime import timedelta

import pytest

from router.domain.calls.call_filter import CallFilter
from router.service.calls import reviews
from router.service.calls.reviews import review_calls, unreview_calls
from router.store.engine import SqlStore
from tests.integration.store_calls import call, save
from tests.support.builders import NOON

IDS = [f"rt1-{n}.0" for n in range(10)]


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviews, "AT_ONCE", 4)


async def found(store: SqlStore, *, reviewed: bool) -> list[str]:
    async with store.read() as session:
        return [call.id for call in await session.calls.find(CallFilter(reviewed=reviewed))]


async def test_reviewed_calls_are_found_and_can_be_taken_back(store: SqlStore) -> None:
    await save(store, *(call(call_id) for call_id in IDS))
    async with store.read() as session:
        before = await session.calls.revision()
    assert await review_calls(store, [*IDS[:6], IDS[0], "none"], "anna", NOON) == 6
    assert set(await found(store, reviewed=True)) == set(IDS[:6])
    assert set(await found(store, reviewed=False)) == set(IDS[6:])
    async with store.read() as session:
        changed = await session.calls.newer_than(before)
    assert {changed_call.id for changed_call in changed} == set(IDS[:6])

    assert await unreview_calls(store, IDS[:2]) == 2
    assert set(await found(store, reviewed=True)) == set(IDS[2:6])


async def test_a_call_that_changes_stays_reviewed(store: SqlStore) -> None:
    await save(store, call(IDS[0]))
    await review_calls(store, [IDS[0]], "anna", NOON)
    await save(store, call(IDS[0], talk_seconds=70.0))
    assert await found(store, reviewed=True) == [IDS[0]]


async def test_the_first_of_two_who_review_a_call_at_one_time_stays(
    store: SqlStore, other_store: SqlStore
) -> None:
    await save(store, *(call(call_id) for call_id in IDS))
    done = await asyncio.gather(
        review_calls(store, IDS, "anna", NOON),
        review_calls(other_store, IDS, "boris", NOON + timedelta(seconds=1)),
    )
    assert sum(done) == len(IDS)
    async with store.read() as session:
        kept = await session.reviews.of(IDS)
    assert {review.person for review in kept.values()} <= {"anna", "boris"}
    assert len(kept) == len(IDS)
    assert set(await found(store, reviewed=True)) == set(IDS)
