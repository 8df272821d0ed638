"""A machine's clock that is set while work waits, and while something lasts."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from router.domain.access import LoginSession, Person, Role
from router.domain.calls.call import Call, Recording, RecordingState, State
from router.domain.calls.call_back import CallBack
from router.domain.delivery.connection import ReceiverHealth
from router.domain.delivery.delivery import Delivery, DeliveryKind, DeliveryState, new_delivery
from router.domain.delivery.outcome import Outcome
from router.domain.visitors.lease import Lease
from router.domain.visitors.site import TrackingNumber
from router.service import worker
from router.service.admin import retention
from router.service.admin.access import find_person
from router.service.calls.call_backs import is_stuck
from router.service.delivery.outcomes import Receiver, SendResult
from router.service.ports import Heartbeat
from router.service.worker import Worker
from router.store.engine import SqlStore
from router.web.sessions import LIFETIME
from tests.integration.test_worker import Recorder
from tests.support.builders import DID, NOON, OTHER_DID, furnish, lease, visit, visitor, webhook
from tests.support.web_calls import a_call

HOUR = timedelta(hours=1)
CALL_ID = "rt1-1.0"
CALLED = a_call("1", NOON)  # a call back answers it


class Clock:
    """The machine's, which may be set."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Sender:
    """Takes everything."""

    def most(self, _: Receiver) -> int:
        return 1

    async def send(self, _: Sequence[Delivery], __: Receiver) -> SendResult:
        return SendResult(said=Outcome.text("200"))


@asynccontextmanager
async def working(store: SqlStore, clock: Clock) -> AsyncIterator[None]:
    task = asyncio.create_task(Worker(store, Recorder(), Sender(), clock).run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def plan(store: SqlStore, due: datetime) -> None:
    """A delivery, a recording and a receiver at rest, all waiting for this moment."""
    call = Call(
        id=CALL_ID, did="1", trunk="t", arrived_at=due, state=State.ENDED, answered_at=due,
        ended_at=due,
    )  # fmt: skip
    body = {"call": {"id": call.id}}
    told = new_delivery(webhook(), DeliveryKind.CALL_ENDED, call.id, body, id="d1", now=due)
    recording = Recording(
        call_id=call.id, spool_name="a", state=RecordingState.WAITING, expected_seconds=1.0,
        due_at=due,
    )  # fmt: skip
    async with store.write() as session:
        await session.add(webhook())
        await session.calls.save([call])
        await session.recordings.save([recording])
        await session.deliveries.add([told])
        await session.receivers.save(
            ReceiverHealth(receiver_id="crm", next_at=due, paused_until=due)
        )


async def states(store: SqlStore) -> tuple[str, str]:
    async with store.read() as session:
        delivery, recording = (
            await session.get(Delivery, "d1"),
            await session.get(Recording, CALL_ID),
        )
        return delivery.state, recording.state


async def beaten(store: SqlStore, since: datetime) -> None:
    """Wait until the worker has left a heartbeat after this moment."""
    async with asyncio.timeout(180):
        while True:
            async with store.read() as session:
                if any(beat.at > since for beat in await session.heartbeats.all()):
                    return
            await asyncio.sleep(0.02)


DONE = (DeliveryState.DONE, RecordingState.STORED)


@pytest.mark.parametrize("runs", [True, False], ids=["while it runs", "while it is stopped"])
async def test_work_that_was_due_by_the_old_clock_is_not_an_hour_late(
    runs: bool, store: SqlStore
) -> None:
    clock = Clock()
    clock.ahead = HOUR
    if runs:
        async with working(store, clock):
            await beaten(store, clock() - HOUR / 2)
            await plan(store, clock() + timedelta(seconds=2))
            clock.ahead = timedelta()
            await _until_done(store)
        return
    async with store.write() as session:
        await session.heartbeats.save(Heartbeat(name="worker", at=clock(), facts={}))
    await plan(store, clock() + timedelta(seconds=1))
    clock.ahead = timedelta()
    async with working(store, clock):
        await _until_done(store)


async def _until_done(store: SqlStore) -> None:
    async with asyncio.timeout(180):
        while await states(store) != DONE:
            await asyncio.sleep(0.05)


async def _lease_end(store: SqlStore, key: str) -> datetime:
    async with store.read() as session:
        return (await session.get(Lease, key)).ends_at


async def test_leases_claims_and_deadlines_last_as_long_where_the_clock_is_set_forward(
    store: SqlStore,
) -> None:
    clock, day = Clock(), timedelta(days=4)
    began = clock()
    held = lease(started_at=began, seen_at=began, frozen_at=began + HOUR / 2, ends_at=began + HOUR)
    over = replace(held, id="over", number=OTHER_DID, ends_at=began - HOUR, frozen_at=began - HOUR)
    async with working(store, clock):
        await beaten(store, began - timedelta(seconds=1))
        await furnish(store, visitor(), visit())
        await plan(store, began + HOUR)
        async with store.write() as session:
            await session.leases.save([held, over])
            waiting = await session.get(Delivery, "d1")
            await session.change(replace(waiting, created_at=began, claimed_until=began + HOUR))
        clock.ahead = day
        async with asyncio.timeout(180):
            while await _lease_end(store, held.id) == held.ends_at:
                await asyncio.sleep(0.05)
    async with store.read() as session:
        delivery, now_held = await session.get(Delivery, "d1"), await session.get(Lease, held.id)
        was_over, number = await session.get(Lease, "over"), await session.get(TrackingNumber, DID)
    moved = [
        delivery.due_at - waiting.due_at,
        delivery.deadline_at - waiting.deadline_at,
        (delivery.claimed_until or began) - (began + HOUR),
        now_held.frozen_at - held.frozen_at,
        now_held.ends_at - held.ends_at,
    ]
    assert all(abs(by - day) < timedelta(minutes=1) for by in moved), moved
    assert number.free_at == now_held.ends_at
    assert (was_over.ends_at, now_held.started_at) == (over.ends_at, began)
    assert delivery.state == DeliveryState.PENDING


async def test_nothing_is_brought_forward_by_a_clock_that_goes_right(store: SqlStore) -> None:
    clock = Clock()
    await plan(store, clock() + HOUR)
    async with working(store, clock):
        await beaten(store, clock() - timedelta(seconds=1))
        await asyncio.sleep(2 * worker.LONGEST_SLEEP)
    assert (await states(store))[0] == DeliveryState.PENDING


async def test_nothing_is_removed_in_the_day_after_the_clock_was_set_far_forward(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, passes = Clock(), list[timedelta]()

    async def remove_old(_: object, now: datetime, __: int) -> int:
        passes.append(now - datetime.now(UTC))
        clock.ahead = 1000 * HOUR  # set during the day after the first pass
        if len(passes) == 3:
            raise asyncio.CancelledError
        return 0

    slept = list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(retention, "remove_old", remove_old)
    monkeypatch.setattr(retention.asyncio, "sleep", sleep)
    with suppress(asyncio.CancelledError):
        await retention.keep_for(store, clock, 30)
    assert len(slept) == 3, "the pass after the step was left out"


@pytest.mark.parametrize("days", [1, 9, 400])
async def test_a_log_in_lasts_as_long_where_the_clock_is_set_forward(
    days: int, store: SqlStore
) -> None:
    clock = Clock()
    session = log_in_of("anna", clock())
    async with working(store, clock):
        await beaten(store, clock() - HOUR)
        await keep(store, session)
        clock.ahead = timedelta(days=days)
        await until_changed(store, session, session.digest)
    assert await find_person(store, session.digest, clock() + timedelta(days=6)) is not None
    assert await find_person(store, session.digest, clock() + timedelta(days=8)) is None


async def test_nothing_that_began_by_a_clock_that_was_ahead_lasts_longer_for_that(
    store: SqlStore,
) -> None:
    clock = Clock()
    clock.ahead = timedelta(days=4)
    now = clock()
    held = lease(started_at=now, seen_at=now, frozen_at=now + HOUR / 2, ends_at=now + HOUR)
    session = log_in_of("anna", now)
    back = CallBack(id="b1", call_id=CALLED.id, number="+79161234567", by="anna", at=now)
    await furnish(store, visitor(), visit())
    async with working(store, clock):
        await beaten(store, now - HOUR)
        async with store.write() as writing:
            await writing.leases.save([held])
        await keep(store, session, back)
        clock.ahead = timedelta()
        await until_changed(store, held, held.id)
    async with store.read() as reading:
        is_held, number = await reading.get(Lease, held.id), await reading.get(TrackingNumber, DID)
        until = (await reading.get(LoginSession, session.digest)).expires_at
        asked_at = (await reading.get(CallBack, back.id)).at
    minute, after = timedelta(minutes=1), clock()
    assert is_held.started_at <= after
    assert abs(is_held.ends_at - after - HOUR) < minute
    assert number.free_at == is_held.ends_at
    assert abs(until - after - LIFETIME) < minute
    assert abs(asked_at - after) < minute


async def test_a_call_back_that_was_asked_for_is_begun_where_the_clock_is_set_forward(
    store: SqlStore,
) -> None:
    clock = Clock()
    back = CallBack(id="b1", call_id=CALLED.id, number="+79161234567", by="anna", at=clock())
    async with working(store, clock):
        await beaten(store, clock() - HOUR)
        await keep(store, back)
        clock.ahead = timedelta(days=1)
        await until_changed(store, back, back.id)
    async with store.read() as session:
        assert not is_stuck(await session.get(CallBack, back.id), clock())


def log_in_of(login: str, now: datetime) -> LoginSession:
    return LoginSession(digest="d1", login=login, created_at=now, expires_at=now + LIFETIME)


async def keep(store: SqlStore, *records: object) -> None:
    person = Person(login="anna", password_hash="", role=Role.SUPERVISOR, created_at=NOON)
    async with store.write() as session:
        await session.calls.save([CALLED])
        for record in (person, *records):
            await session.add(record)


async def until_changed(store: SqlStore, before: object, key: str) -> None:
    async with asyncio.timeout(180):
        while True:
            async with store.read() as session:
                if await session.get(type(before), key) != before:
                    return
            await asyncio.sleep(0.05)
