"""Samples in the store: what is chosen stays, and is worked off call by call."""

from datetime import UTC, date, timedelta

import pytest

from router.errors import InvalidInput, NotFound
from router.service.calls import samples as service
from router.service.calls.reviews import review_calls
from router.service.calls.samples import Wanted
from router.store.engine import SqlStore
from tests.integration.store_calls import call, save
from tests.support.builders import NOON

WEEK = NOON.date()


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "AT_ONCE", 7)


async def a_week(store: SqlStore, count: int = 40) -> None:
    start = NOON - timedelta(days=NOON.weekday())
    await save(
        store,
        *(
            call(
                f"rt1-{n:03}.0",
                arrived_at=start + timedelta(hours=n % 40),
                answered_by="PJSIP/front",
                last_answered_by=("PJSIP/maria", "PJSIP/ivan")[n % 2],
                talk_seconds=float(n),
            )
            for n in range(count)
        ),
        call("rt1-missed.0", arrived_at=start),
    )


async def ids(store: SqlStore, sample_id: str) -> list[str]:
    return [call.drawn.call_id for call in (await service.show_sample(store, sample_id)).calls]


async def test_a_sample_has_so_many_calls_of_each_employee_within_its_filters(
    store: SqlStore,
) -> None:
    await a_week(store)
    wanted = Wanted(query="talk_from=10&period=today&junk=1", per_employee=3, since=WEEK, seed="s")
    made = await service.draw_sample(store, wanted, zone=UTC, author="anna", now=NOON)
    assert (made.calls, made.reviewed, made.sample.query) == (6, 0, "talk_from=10")
    view = await service.show_sample(store, made.sample.id)
    employees = [call.drawn.employee for call in view.calls]
    assert employees == ["PJSIP/ivan"] * 3 + ["PJSIP/maria"] * 3
    assert all(call.call.talk_seconds >= 10 for call in view.calls)

    again = await service.draw_sample(store, wanted, zone=UTC, author="anna", now=NOON)
    assert await ids(store, again.sample.id) == await ids(store, made.sample.id)


async def test_calls_of_a_sample_stay_whatever_arrives_and_changes(store: SqlStore) -> None:
    await a_week(store, 20)
    wanted = Wanted(per_employee=3, since=WEEK)
    made = await service.draw_sample(store, wanted, zone=UTC, author="anna", now=NOON)
    before = await ids(store, made.sample.id)
    await a_week(store, 60)
    assert await ids(store, made.sample.id) == before


async def test_a_sample_is_worked_off_and_its_progress_is_that_of_all_reviewers(
    store: SqlStore,
) -> None:
    await a_week(store)
    wanted = Wanted(per_employee=2, since=WEEK)
    made = await service.draw_sample(store, wanted, zone=UTC, author="anna", now=NOON)
    sample_id, calls = made.sample.id, await ids(store, made.sample.id)
    seen: list[str] = []
    place = await service.place_in_sample(store, sample_id, None)
    while place.next_id:
        seen.append(place.next_id)
        await review_calls(store, [place.next_id], "anna", NOON)
        place = await service.place_in_sample(store, sample_id, place.next_id)
    assert seen == calls
    (progress,) = await service.list_samples(store)
    assert (progress.calls, progress.reviewed) == (4, 4)

    await service.remove_sample(store, sample_id)
    with pytest.raises(NotFound):
        await service.show_sample(store, sample_id)
    async with store.read() as session:
        assert len(await session.reviews.of(calls)) == 4


async def test_after_the_last_call_those_left_out_are_next(store: SqlStore) -> None:
    await a_week(store)
    wanted = Wanted(per_employee=2, since=WEEK)
    made = await service.draw_sample(store, wanted, zone=UTC, author="anna", now=NOON)
    calls = await ids(store, made.sample.id)
    await review_calls(store, calls[1:], "boris", NOON)
    assert (await service.place_in_sample(store, made.sample.id, calls[3])).next_id == calls[0]
    assert (await service.place_in_sample(store, made.sample.id, calls[0])).next_id is None
    assert (await service.place_in_sample(store, made.sample.id, "gone")).next_id == calls[0]


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(per_employee=0, since=WEEK),
        Wanted(per_employee=51, since=WEEK),
        Wanted(per_employee=1, since=WEEK, weeks=14),
        Wanted(per_employee=1, since=date(1, 1, 1)),
        Wanted(per_employee=1, since=WEEK, query="ending=busy"),
    ],
)
async def test_a_sample_that_cannot_be_drawn_is_refused(store: SqlStore, wanted: Wanted) -> None:
    await a_week(store, 5)
    with pytest.raises(InvalidInput):
        await service.draw_sample(store, wanted, zone=UTC, author="anna", now=NOON)
    assert await service.list_samples(store) == []


async def test_too_many_calls_are_not_considered(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_CONSIDERED", 10)
    await a_week(store)
    with pytest.raises(InvalidInput, match="fewer weeks or more filters"):
        await service.draw_sample(
            store, Wanted(per_employee=1, since=WEEK), zone=UTC, author="anna", now=NOON
        )
