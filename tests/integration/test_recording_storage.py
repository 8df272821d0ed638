"""What becomes of the recordings that wait, with a recorder that does as a test says."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from router.domain.calls.call import Call, Ending, Recording, RecordingState
from router.domain.calls.recording_codes import NoRecordingCode
from router.domain.delivery.outcome import Outcome
from router.service.calls.recording import CLAIM, SETTLE, RecorderBusy, StillWriting, store_due
from router.store.engine import SqlStore
from tests.integration.waiting_recordings import deliveries_made, state_of, waits
from tests.support.builders import Clock, later

ODD = Outcome.of(NoRecordingCode.OTHER_FORMAT, file="c1-caller.sln", format="WAV")
SILENT = Outcome.of(NoRecordingCode.STORAGE_FAILED, key="k.mp3", detail="no answer")

Act = Callable[[Recording], Awaitable[Recording]]


@dataclass(slots=True)
class FakeRecorder:
    """Does `act` with each recording and remembers it."""

    act: Act
    stored: list[str] = field(default_factory=list)
    discarded: list[str] = field(default_factory=list)

    async def store(self, recording: Recording, call: Call) -> Recording:
        assert call.id == recording.call_id
        self.stored.append(recording.spool_name)
        return await self.act(recording)

    async def discard(self, recording: Recording) -> bool:
        self.discarded.append(recording.spool_name)
        return True


async def good(recording: Recording) -> Recording:
    return replace(
        recording, state=RecordingState.STORED, key="k.mp3", bytes=9, seconds=5.0, sha256="a" * 64
    )


async def broken(recording: Recording) -> Recording:
    return replace(recording, state=RecordingState.BROKEN, reason=ODD)


async def busy(_: Recording) -> Recording:
    raise RecorderBusy(SILENT)


async def writing(_: Recording) -> Recording:
    raise StillWriting


async def test_what_is_learned_of_a_cut_call_while_its_recording_is_encoded_stays(
    store: SqlStore,
) -> None:
    """Its length is known by the recording alone, and is written beside what others wrote
    meanwhile.
    """
    await waits(store)
    async with store.write() as session:
        cut = {"ending": Ending.CUT, "talk_seconds": 1.0, "ended_at": later(2)}
        await session.change(replace(await session.get(Call, "c1"), **cut))

    async def encode(recording: Recording) -> Recording:
        async with store.write() as session:
            await session.change(
                replace(await session.get(Call, "c1"), code="ACE234", visitor_id="anna")
            )
        return await good(recording)

    await store_due(store, FakeRecorder(encode), lambda: later(10))
    async with store.read() as session:
        call = await session.get(Call, "c1")
    assert (call.talk_seconds, call.code, call.visitor_id) == (5.0, "ACE234", "anna")


async def test_a_finished_recording_is_stored_once_and_sent(store: SqlStore) -> None:
    await waits(store)
    recorder, clock = FakeRecorder(good), Clock(later(10))
    assert await store_due(store, recorder, clock) == 1
    assert await store_due(store, recorder, clock) == 0
    done = await state_of(store)
    assert (done.state, done.stored_at, done.reason) == (RecordingState.STORED, later(10), None)
    (delivery,) = await deliveries_made(store)
    assert (delivery.key, delivery.payload["recording"]["path"]) == (
        "recording.ready:c1",
        "/api/v1/calls/c1/recording",
    )
    async with store.read() as session:
        assert [call.id for call in await session.calls.newer_than(1)] == ["c1"]


async def test_nothing_is_touched_before_its_time(store: SqlStore) -> None:
    await waits(store)
    assert await store_due(store, FakeRecorder(good), Clock(later(9.9))) == 0


async def test_an_unanswered_call_leaves_no_file_and_is_not_sent(store: SqlStore) -> None:
    await waits(store, answered=False)
    recorder = FakeRecorder(good)
    await store_due(store, recorder, Clock(later(10)))
    assert (recorder.discarded, recorder.stored) == (["c1"], [])
    assert (await state_of(store)).state is RecordingState.DISCARDED
    assert await deliveries_made(store) == []


async def test_a_broken_recording_keeps_its_reason_and_is_not_sent(store: SqlStore) -> None:
    await waits(store)
    await store_due(store, FakeRecorder(broken), Clock(later(10)))
    done = await state_of(store)
    assert (done.state, done.reason) == (RecordingState.BROKEN, ODD)
    assert await deliveries_made(store) == []


async def test_a_file_that_still_grows_is_looked_at_again_soon(store: SqlStore) -> None:
    await waits(store)
    await store_due(store, FakeRecorder(writing), Clock(later(10)))
    again = await state_of(store)
    assert (again.due_at, again.attempts, again.state) == (
        later(10) + SETTLE,
        0,
        RecordingState.WAITING,
    )


async def test_a_storage_that_does_not_answer_is_tried_again_with_growing_pauses(
    store: SqlStore,
) -> None:
    await waits(store)
    clock, pauses = Clock(later(10)), []
    for _ in range(14):
        assert await store_due(store, FakeRecorder(busy), clock) == 1
        waiting = await state_of(store)
        assert waiting.reason == SILENT
        pauses.append((waiting.due_at - clock()).total_seconds())
        clock.now = waiting.due_at
    assert all(pause <= min(2 ** (tries + 1), 600) for tries, pause in enumerate(pauses))
    assert max(pauses) > 16
    await store_due(store, FakeRecorder(good), clock)
    assert (await state_of(store)).reason is None


async def test_a_worker_killed_while_encoding_gives_its_recording_back(store: SqlStore) -> None:
    await waits(store)
    began = asyncio.Event()

    async def never(_: Recording) -> Recording:
        began.set()
        await asyncio.Event().wait()
        raise AssertionError

    worker = asyncio.create_task(store_due(store, FakeRecorder(never), Clock(later(10))))
    await began.wait()
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    assert await store_due(store, FakeRecorder(good), Clock(later(10) + CLAIM / 2)) == 0
    assert await store_due(store, FakeRecorder(good), Clock(later(10) + CLAIM)) == 1
    assert len(await deliveries_made(store)) == 1


async def test_two_workers_share_what_waits(store: SqlStore, other_store: SqlStore) -> None:
    await waits(store, *(f"c{i}" for i in range(9)))
    recorder, clock = FakeRecorder(good), Clock(later(10))

    async def work(at: SqlStore) -> None:
        while await store_due(at, recorder, clock):
            pass

    await asyncio.gather(work(store), work(other_store))
    assert sorted(recorder.stored) == [f"c{i}" for i in range(9)]
