"""Tasks of missed callers: a function of what happened, in whatever order it becomes known."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.calls.call import Ending, State
from router.domain.calls.missed import (
    CONTACTED,
    Episode,
    MissedCaller,
    MissedState,
    advance,
    episodes,
    new_task,
)
from router.domain.calls.missed_events import Event, EventKind, RungCall
from tests.support.builders import NOON, later

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


def event(kind: EventKind, seconds: float = 0, key: str = "1", **more: bool) -> Event:
    return Event(kind=kind, at=later(seconds), key=key, **more)  # type: ignore[arg-type]


def missed(seconds: float = 0, key: str = "1", *, short: bool = False) -> Event:
    return event(EventKind.MISSED, seconds, key, short=short)


def rung(**fields: object) -> RungCall:
    call = RungCall(
        id="1", site_id="shop", caller="+79161234567", caller_raw="79161234567", caller_name="",
        withheld=False, number="+74950000001", arrived_at=NOON, answered_at=None, state=State.ENDED,
        ending=Ending.NO_ANSWER, wait_seconds=20.0,
    )  # fmt: skip
    return replace(call, **fields)  # type: ignore[arg-type]


def tasks(*events: Event) -> list[MissedCaller]:
    return [new_task(episode, rung(id=episode.last.key)) for episode in episodes(events)]


def the_task(*events: Event) -> MissedCaller:
    (task,) = tasks(*events)
    return task


@pytest.mark.parametrize(
    ("kind", "seconds", "state"),
    [
        (EventKind.REACHED, 20 * MINUTE, MissedState.CALLED_BACK_SOON),
        (EventKind.REACHED, 20 * MINUTE + 1, MissedState.CALLED_BACK),
        (EventKind.REACHED, 23 * HOUR, MissedState.CALLED_BACK),
        (EventKind.REACHED, 23 * HOUR + 1, MissedState.CALLED_BACK_LATE),
        (EventKind.RANG_AGAIN, 5 * DAY, MissedState.RANG_AGAIN),
        (EventKind.NOT_NEEDED, 60, MissedState.NOT_NEEDED),
        (EventKind.GIVEN_UP, 60, MissedState.NOT_REACHED),
    ],
)
def test_a_task_is_closed_by_a_contact_or_a_decision(
    kind: EventKind, seconds: float, state: MissedState
) -> None:
    task = the_task(missed(), event(kind, seconds, "2"))
    assert task.closed_as is state
    assert task.state(later(99 * DAY)) is state
    contacted = state in CONTACTED
    assert task.seconds_to_contact == (seconds if contacted else None)
    by_call = kind in {EventKind.RANG_AGAIN, EventKind.REACHED}
    assert task.contact_call_id == ("2" if by_call else None)


@pytest.mark.parametrize(
    ("seconds", "state"),
    [
        (60, MissedState.WAITING),
        (23 * HOUR, MissedState.WAITING),
        (23 * HOUR + 1, MissedState.NOT_REACHED),
    ],
)
def test_a_task_that_is_open_for_long_is_not_reached(seconds: float, state: MissedState) -> None:
    assert the_task(missed()).state(later(seconds)) is state


def test_a_call_back_in_vain_is_counted_and_leaves_the_task_open() -> None:
    task = the_task(
        missed(),
        event(EventKind.NOT_ANSWERED, 60, "a"),
        event(EventKind.NOT_ANSWERED, 120, "b"),
        missed(180, "2"),
    )
    assert (task.tries, task.tried_at, task.calls) == (2, later(120), 2)
    assert task.state(later(30 * HOUR)) is MissedState.NOT_ANSWERED
    assert task.closed_at is None


def test_a_caller_who_rings_after_a_contact_is_a_new_task() -> None:
    first, second = tasks(missed(), event(EventKind.REACHED, 60, "c"), missed(120, "2"))
    assert (first.id, second.id) == ("1", "2")
    assert first.closed_at == later(60)
    assert second.closed_at is None


def test_a_caller_who_rings_after_a_month_is_a_new_task() -> None:
    assert [task.calls for task in tasks(missed(), missed(30 * DAY, "2"))] == [2]
    assert [task.calls for task in tasks(missed(), missed(30 * DAY + 1, "2"))] == [1, 1]


def test_a_task_is_short_while_all_its_calls_are() -> None:
    assert the_task(missed(short=True), missed(60, "2", short=True)).short
    assert not the_task(missed(short=True), missed(60, "2")).short


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"ending": Ending.ANSWERED, "answered_at": later(5)}, EventKind.RANG_AGAIN),
        (
            {"ending": None, "state": State.TALKING, "answered_at": later(5)},
            EventKind.RANG_AGAIN,
        ),
        ({"ending": Ending.CUT, "answered_at": later(5)}, EventKind.RANG_AGAIN),
        ({"ending": Ending.CUT}, EventKind.MISSED),
        ({"ending": Ending.BUSY}, EventKind.MISSED),
        ({"ending": Ending.LOST_IN_TRANSFER, "answered_at": later(5)}, EventKind.MISSED),
        ({"ending": Ending.NOT_LOGGED}, None),
        ({"ending": None, "state": State.RINGING}, None),
    ],
)
def test_calls_are_contacts_or_missed(fields: dict[str, object], kind: EventKind | None) -> None:
    found = rung(**fields).event()
    assert (found.kind if found else None) is kind


@pytest.mark.parametrize(
    ("ending", "wait", "short"),
    [
        (Ending.ABANDONED_RINGING, 14.9, True),
        (Ending.ABANDONED_RINGING, 15.0, False),
        (Ending.BUSY, 1.0, False),
        (Ending.ABANDONED_EARLY, 0.5, True),
    ],
)
def test_only_callers_who_hang_up_early_are_short(
    ending: Ending, wait: float, *, short: bool
) -> None:
    found = rung(ending=ending, wait_seconds=wait).event()
    assert found
    assert found.short is short


moments = st.integers(min_value=0, max_value=40).map(lambda step: step * DAY / 4)
some_events = st.lists(
    st.builds(
        event,
        st.sampled_from(EventKind),
        moments,
        st.integers(min_value=0, max_value=30).map(str),
    ),
    max_size=20,
    unique_by=lambda event: (event.kind, event.key),
)


def place(event: Event) -> tuple[object, ...]:
    """The order of an event among those of a caller, also of the same moment."""
    return (event.at, list(EventKind).index(event.kind), event.key)


def state(found: Episode) -> Episode:
    """What is stored of an episode; the calls between its first and last are not."""
    return replace(found, keys=())


@given(some_events, st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_changes_tasks(events: list[Event], chance: object) -> None:
    mixed = [*events, *events[: len(events) // 2]]
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert list(episodes(mixed)) == list(episodes(events))


@given(some_events)
def test_each_missed_call_is_in_one_task(events: list[Event]) -> None:
    found = list(episodes(events))
    keys = [key for episode in found for key in episode.keys]
    assert sorted(keys) == sorted(event.key for event in events if event.kind is EventKind.MISSED)
    assert [episode.calls for episode in found] == [len(episode.keys) for episode in found]
    for before, after in pairwise(found):
        assert before.last.at <= after.first.at
        closed = before.closing is not None and before.closing.at <= after.first.at
        assert closed or after.first.at - before.last.at > timedelta(days=30)


@given(some_events, moments)
def test_a_stored_task_goes_on_as_if_it_had_been_made_at_once(
    events: list[Event], seconds: float
) -> None:
    whole = list(episodes(events))
    before = list(episodes(event for event in events if event.at < later(seconds)))
    if not before or before[-1].closing:
        return
    last: Episode | None = new_task(before[-1], rung(id=before[-1].last.key)).episode()
    rest = sorted((event for event in events if event.at >= later(seconds)), key=place)
    made = before[:-1]
    for event in rest:
        after = advance(last, event)
        if last and after and after.first.key != last.first.key:
            made.append(last)
        last = after
    assert last
    assert [state(episode).closing for episode in [*made, last]] == [
        state(episode).closing for episode in whole
    ]
    assert [
        (episode.first.key, episode.last.key, episode.calls, episode.tries)
        for episode in [*made, last]
    ] == [(episode.first.key, episode.last.key, episode.calls, episode.tries) for episode in whole]


@given(some_events, st.integers(min_value=0, max_value=160).map(lambda step: step * DAY / 16))
def test_a_late_row_of_an_answered_call_closes_the_task_of_its_time(
    events: list[Event], seconds: float
) -> None:
    late = event(EventKind.RANG_AGAIN, seconds, "late")
    before = [event for event in events if place(event) < place(late)]
    open_then = [
        episode
        for episode in episodes(before)
        if episode.closing is None and late.at - episode.last.at <= timedelta(days=30)
    ]
    closed = [episode for episode in episodes([*events, late]) if episode.closing == late]
    assert [episode.first.key for episode in closed] == [episode.first.key for episode in open_then]
