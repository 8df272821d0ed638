"""The worker: what is due is done, and no delivery waits behind another's receiver."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from router.domain.calls.call import Call, Recording, RecordingState, State
from router.domain.delivery.delivery import Delivery, DeliveryKind, DeliveryState, new_delivery
from router.domain.delivery.outcome import Outcome
from router.service.delivery.outcomes import Receiver, SendResult
from router.service.worker import Worker
from router.store.engine import SqlStore
from tests.support.builders import webhook


class Recorder:
    """Stores at once."""

    async def store(self, recording: Recording, call: Call) -> Recording:
        return replace(
            recording,
            state=RecordingState.STORED,
            key="k.mp3",
            bytes=9,
            seconds=42.0,
            sha256="a" * 64,
        )

    async def discard(self, recording: Recording) -> bool:
        raise AssertionError("the call was answered")


class Sender:
    """Hangs for the receiver `slow`."""

    def most(self, _: Receiver) -> int:
        return 1

    async def send(self, _: Sequence[Delivery], to: Receiver) -> SendResult:
        await asyncio.sleep(3600 if to.id == "slow" else 0)
        return SendResult(said=Outcome.text("200"))


def clock() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def working(store: SqlStore) -> AsyncIterator[None]:
    task = asyncio.create_task(Worker(store, Recorder(), Sender(), clock).run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def until(look: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(180):
        while not await look():
            await asyncio.sleep(0.02)


async def put(store: SqlStore, call: Call, *receivers: str) -> None:
    async with store.write() as session:
        await session.add(*(replace(webhook(), id=name, site_id=None) for name in receivers))
        await session.calls.save([call])
        kind = DeliveryKind.CALL_ENDED
        made = [
            new_delivery(replace(webhook(), id=r), kind, call.id, {}, id=f"{r}-1", now=clock())
            for r in receivers
        ]
        await session.deliveries.add(made)


def ended(**facts: object) -> Call:
    call = Call(
        id="c1", did="1", trunk="t", arrived_at=clock(), answered_at=clock(), state=State.ENDED
    )
    return replace(call, **facts)  # type: ignore[arg-type]


async def test_a_receiver_that_hangs_delays_no_other(store: SqlStore) -> None:
    await put(store, ended(), "slow", "quick")

    async def quick_was_told() -> bool:
        async with store.read() as session:
            return (await session.get(Delivery, "quick-1")).state is DeliveryState.DONE

    async with working(store):
        await until(quick_was_told)
        async with store.read() as session:
            assert (await session.get(Delivery, "slow-1")).state is DeliveryState.PENDING
            later = new_delivery(
                replace(webhook(), id="quick"),
                DeliveryKind.RECORDING_READY,
                "c1",
                {},
                id="q2",
                now=clock(),
            )
        async with store.write() as session:
            await session.deliveries.add([later])

        async def told_again() -> bool:
            async with store.read() as session:
                return (await session.get(Delivery, "q2")).state is DeliveryState.DONE

        await until(told_again)


async def test_work_that_is_due_later_is_done_then(store: SqlStore) -> None:
    await put(store, ended(id="c0"))
    await put(store, ended())

    async def stored(call_id: str) -> bool:
        async with store.read() as session:
            return (await session.get(Recording, call_id)).state is RecordingState.STORED

    async def wait_for(call_id: str, due: datetime) -> None:
        state = RecordingState.WAITING
        waiting = Recording(
            call_id=call_id, spool_name=call_id, state=state, expected_seconds=1, due_at=due
        )
        async with store.write() as session:
            await session.recordings.save([waiting])
        await until(lambda: stored(call_id))

    async with working(store):
        # it has begun: at its start it makes everything due that waits
        await wait_for("c0", clock())
        due = datetime.fromtimestamp(clock().timestamp() + 0.4, UTC)
        await wait_for("c1", due)
    async with store.read() as session:
        done = await session.get(Recording, "c1")
    assert done.stored_at is not None
    assert done.stored_at >= due


async def test_a_call_that_was_cut_is_as_long_as_its_recording(store: SqlStore) -> None:
    moment = clock()
    cut = ended(
        ending="cut", answered_at=moment, ended_at=moment + timedelta(seconds=0.1), talk_seconds=0.1
    )
    await put(store, cut)
    waiting = Recording(
        call_id="c1",
        spool_name="c1",
        state=RecordingState.WAITING,
        expected_seconds=1,
        due_at=clock(),
    )
    async with store.write() as session:
        await session.recordings.save([waiting])
    async with working(store):

        async def corrected() -> bool:
            async with store.read() as session:
                return (await session.get(Call, "c1")).talk_seconds == pytest.approx(42.0)

        await until(corrected)
