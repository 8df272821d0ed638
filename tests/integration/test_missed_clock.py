"""Missed callers where the machine's clock is set, forward and back."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from router.domain.calls.call import Call
from router.domain.calls.missed import MissedState
from router.domain.calls.missed_events import EventKind
from router.service.calls import missed_tasks as tasks
from router.service.calls.missed_clock import move_tasks
from router.store.engine import SqlStore
from tests.integration.missed_world import answered, every, only, unanswered, write
from tests.support.builders import later
from tests.support.web_calls import ringing

DAY, HOUR, YEARS = timedelta(days=1), timedelta(hours=1), timedelta(days=20_000)


async def set_clock(store: SqlStore, ahead: timedelta, seconds: float) -> None:
    """By so much, when it said so many seconds after noon."""
    async with store.write() as session:
        await move_tasks(session, later(seconds) + ahead, ahead)


def by(ahead: timedelta, call: Call, **more: Any) -> Call:
    """The call, by the clock that is ahead."""

    def moved(at: datetime | None) -> datetime | None:
        return at + ahead if at else None

    values = {name: moved(getattr(call, name)) for name in ("answered_at", "ended_at")}
    return replace(call, arrived_at=call.arrived_at + ahead, **values, **more)


@pytest.mark.parametrize("ahead", [DAY, YEARS, -HOUR, -DAY, -YEARS], ids=str)
async def test_a_caller_has_waited_as_long_as_before(ahead: timedelta, store: SqlStore) -> None:
    await write(store, unanswered("1"))
    await set_clock(store, ahead, 120)
    now = later(300) + ahead
    (waiting,) = (await tasks.open_tasks(store, now)).waiting
    assert (waiting.state(now), now - waiting.since) == (
        MissedState.WAITING,
        timedelta(seconds=300),
    )
    done = await tasks.report(store, waiting.id, EventKind.REACHED, by="anna", now=now)
    assert (done.closed_as, done.seconds_to_contact) == (MissedState.CALLED_BACK_SOON, 300)


@pytest.mark.parametrize("ahead", [DAY, -HOUR], ids=str)
async def test_later_calls_of_the_caller_join_and_close_the_task(
    ahead: timedelta, store: SqlStore
) -> None:
    await write(store, unanswered("1"), unanswered("2", 60))
    await set_clock(store, ahead, 120)
    await write(store, by(ahead, unanswered("3", 180)))
    task = await only(store)
    assert (task.calls, task.closed_as) == (3, None)
    await tasks.report(store, task.id, EventKind.NOT_ANSWERED, by="anna", now=later(200) + ahead)
    await write(store, by(ahead, answered("4", 240)))
    closed = await only(store)
    assert (closed.calls, closed.tries) == (3, 1)
    assert (closed.closed_as, closed.seconds_to_contact) == (MissedState.RANG_AGAIN, 247)


async def test_a_talk_by_a_clock_that_was_ahead_closes_no_later_task(store: SqlStore) -> None:
    await write(store, unanswered("1"), answered("2", 60))
    await set_clock(store, -HOUR, 120)
    await write(store, by(-HOUR, unanswered("3", 180)))
    assert [task.closed_as for task in await every(store)] == [MissedState.RANG_AGAIN, None]
    await write(store, by(-HOUR, unanswered("4", 240)))
    assert [task.calls for task in await every(store)] == [1, 2]


@pytest.mark.parametrize("ahead", [DAY, -HOUR], ids=str)
async def test_a_call_that_rings_when_the_clock_is_set_is_missed_after_that(
    ahead: timedelta, store: SqlStore
) -> None:
    await write(store, ringing("1", later(100)))
    await set_clock(store, ahead, 110)
    await write(store, unanswered("1", 100, clock_stepped=True))
    task = await only(store)
    assert task.since == later(100) + ahead
    assert task.state(later(200) + ahead) is MissedState.WAITING


async def test_a_clock_that_is_set_forward_and_back_changes_nothing(store: SqlStore) -> None:
    hidden = {"caller": None, "caller_raw": "", "withheld": True}
    await write(store, unanswered("1"), unanswered("2", 30, **hidden), answered("3", 40))
    await write(store, unanswered("4", 50))
    before = await every(store)
    await set_clock(store, DAY, 120)
    await set_clock(store, -DAY, 120 + DAY.total_seconds())
    assert await every(store) == before
    await tasks.report(store, before[2].id, EventKind.NOT_NEEDED, by="anna", now=later(200))
    assert (await tasks.reopen(store, before[2].id)).closed_as is None
