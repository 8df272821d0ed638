"""The calls beside one call, in a list of any filter; and the silence that lists filter by."""

from dataclasses import replace
from datetime import timedelta

import pytest

from router.domain.calls.call import Call, RecordingState, Tag
from router.domain.calls.call_filter import Among, CallFilter, Range
from router.service.calls.neighbours import Beside, Neighbour, find_neighbour, neighbours_of
from router.store import walks
from router.store.engine import SqlStore
from tests.support.web_calls import a_call, a_recording
from tests.support.web_world import Clock, site_things

NOW = Clock().now
CALLERS = ("+79160000001", "+79160000002")


@pytest.fixture
async def calls(store: SqlStore) -> list[Call]:
    """Eight calls, two of a moment, the oldest first; every other one is of another caller, every
    third one is recorded.
    """
    made = [
        a_call(str(n), NOW + timedelta(minutes=n // 2), caller=CALLERS[n % 2]) for n in range(8)
    ]
    recorded = [a_recording(call) for n, call in enumerate(made) if n % 3 == 0]
    async with store.write() as session:
        await session.add(*site_things(NOW))
        await session.calls.save(made)
        await session.recordings.save(recorded)
        await session.tags.add(Tag(call_id=made[2].id, name="rare", author="anna", at=NOW))
        for call in made:
            await session.calls.touch(call.id)
    return made


def ids(calls: list[Call], *places: int | None) -> dict[Beside, Neighbour]:
    """Previous, next and following by their places."""
    found = [Neighbour(None if at is None else calls[at].id) for at in places]
    return dict(zip(Beside, found, strict=True))


@pytest.mark.parametrize(
    ("wanted", "places"),
    [
        (CallFilter(), (5, 3, 3)),
        (CallFilter(caller=CALLERS[0]), (6, 2, 0)),
        (CallFilter(caller=CALLERS[1]), (5, 3, 3)),  # it is not in this list itself
        (CallFilter(tag="rare"), (None, 2, None)),
        (CallFilter(tag=Among(("rare",), excluded=True), recorded=True), (6, 3, 3)),
        (CallFilter(recorded=False), (5, 2, None)),
        (CallFilter(text="916 000-00-01"), (6, 2, 0)),
        (CallFilter(text="petrov", until=NOW + timedelta(minutes=2)), (None, 3, 3)),
        (CallFilter(site_id="elsewhere"), (None, None, None)),
    ],
)
async def test_the_neighbours_are_those_of_the_list(
    store: SqlStore, calls: list[Call], wanted: CallFilter, places: tuple[int | None, ...]
) -> None:
    assert await neighbours_of(store, calls[4], wanted) == ids(calls, *places)


async def test_the_list_ends_at_both_ends(store: SqlStore, calls: list[Call]) -> None:
    assert await neighbours_of(store, calls[7], CallFilter()) == ids(calls, None, 6, 6)
    assert await neighbours_of(store, calls[0], CallFilter()) == ids(calls, 1, None, None)


async def test_a_call_too_far_away_for_a_page_is_found_when_it_is_asked_for(
    store: SqlStore, calls: list[Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walks, "COSTLY", (1,))
    monkeypatch.setattr(walks, "CHEAP", (1,))
    rare = CallFilter(tag=Among(("none", "rare"), excluded=True), caller=CALLERS[0], recorded=True)
    found = await neighbours_of(store, calls[7], rare)
    assert found[Beside.NEXT] == Neighbour(calls[6].id)
    assert found[Beside.PREVIOUS] == Neighbour()
    assert (await neighbours_of(store, calls[6], rare))[Beside.NEXT] == Neighbour(None, False)
    assert await find_neighbour(store, calls[6].id, rare, Beside.NEXT) == calls[0].id


async def test_the_silence_of_a_list_is_the_longest_of_both_sides_together(
    store: SqlStore, calls: list[Call]
) -> None:
    sides = {"caller_longest_silence_seconds": 30.0, "company_longest_silence_seconds": 20.0}
    measured = a_recording(calls[0], **sides, shared_silence_seconds=6.5)
    older = a_recording(calls[3], **sides)
    async with store.write() as session:
        await session.recordings.save([measured, older])
        for call in (calls[0], calls[3]):
            await session.calls.touch(call.id)
    async with store.read() as session:
        found = {
            seconds: {call.id for call in await session.calls.find(CallFilter(silence=limits))}
            for seconds, limits in ((6, Range(6, 7)), (20, Range(20, 20)))
        }
        [listed] = (await session.recordings.of([calls[0].id])).values()
    assert found == {6: {calls[0].id}, 20: {calls[3].id}}
    assert (listed.peaks, listed.spans) == ((), None)
    assert replace(listed, peaks=measured.peaks) == measured
    assert listed.state is RecordingState.STORED
