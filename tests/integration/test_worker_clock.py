"""A machine's clock that is set back while work waits for a later moment."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from router.domain.calls.call import Call, Recording, RecordingState, State
from router.domain.delivery.connection import ReceiverHealth
from router.domain.delivery.delivery import Delivery, DeliveryKind, DeliveryState, new_delivery
from router.domain.delivery.outcome import Outcome
from router.domain.visitors.lease import Lease
from router.domain.visitors.site import TrackingNumber
from router.service import worker
from router.service.admin import retention
from router.service.delivery.outcomes import Receiver, SendResult
from router.service.ports import Heartbeat
from router.service.worker import Worker
from router.store.engine import SqlStore
from tests.integration.test_worker import Recorder
from tests.support.builders import DID, OTHER_DID, furnish, lease, visit, visitor, webhook

HOUR = timedelta(hours=1)
CALL_ID = "rt1-1.0"


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
    async with asyncio.timeout(60):
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
    async with asyncio.timeout(60):
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
        async with asyncio.timeout(60):
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
