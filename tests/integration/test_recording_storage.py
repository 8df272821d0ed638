"""Storing: what becomes of the recordings that wait, with a recorder that does as it is told and
with the real one.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import recordings
from router.domain.calls.call import Call, Ending, Recording, RecordingState, State
from router.domain.delivery.delivery import Delivery
from router.recorder import SpoolRecorder, StorageReader
from router.service.calls.recording import CLAIM, SETTLE, RecorderBusy, StillWriting, store_due
from router.store.engine import SqlStore
from tests.support.builders import NOON, Clock, later, site, webhook
from tests.support.builders import destination as a_destination
from tests.support.recordings_sounds import babble, silence, spool_pair, tone

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
    return replace(recording, state=RecordingState.BROKEN, reason="odd number of bytes")


async def busy(_: Recording) -> Recording:
    raise RecorderBusy("the storage does not answer")


async def writing(_: Recording) -> Recording:
    raise StillWriting


async def waits(store: SqlStore, *ids: str, answered: bool = True, spool: str = "") -> None:
    """Calls that have ended, each with a recording that is due now."""
    async with store.write() as session:
        await session.add(a_destination(), site(), webhook())
        for one in ids or ("c1",):
            answer = later(1) if answered else None
            call = Call(
                id=one, did="1", trunk="t", site_id="shop", arrived_at=NOON, state=State.ENDED
            )
            await session.calls.save([replace(call, answered_at=answer, ended_at=later(9))])
            waiting = RecordingState.WAITING
            made = Recording(
                call_id=one,
                spool_name=spool or one,
                state=waiting,
                expected_seconds=5,
                due_at=later(10),
            )
            await session.recordings.save([made])


async def state_of(store: SqlStore, call_id: str = "c1") -> Recording:
    async with store.read() as session:
        return await session.get(Recording, call_id)


async def told(store: SqlStore) -> list[Delivery]:
    async with store.read() as session:
        return await session.deliveries.find()


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


async def test_a_finished_recording_is_stored_once_and_told(store: SqlStore) -> None:
    await waits(store)
    recorder, clock = FakeRecorder(good), Clock(later(10))
    assert await store_due(store, recorder, clock) == 1
    assert await store_due(store, recorder, clock) == 0
    done = await state_of(store)
    assert (done.state, done.stored_at, done.reason) == (RecordingState.STORED, later(10), None)
    (one,) = await told(store)
    assert (one.key, one.payload["recording"]["path"]) == (
        "recording.ready:c1",
        "/api/v1/calls/c1/recording",
    )
    async with store.read() as session:
        assert [call.id for call in await session.calls.newer_than(1)] == ["c1"]


async def test_nothing_is_touched_before_its_time(store: SqlStore) -> None:
    await waits(store)
    assert await store_due(store, FakeRecorder(good), Clock(later(9.9))) == 0


async def test_an_unanswered_call_leaves_no_file_and_is_not_told(store: SqlStore) -> None:
    await waits(store, answered=False)
    recorder = FakeRecorder(good)
    await store_due(store, recorder, Clock(later(10)))
    assert (recorder.discarded, recorder.stored) == (["c1"], [])
    assert (await state_of(store)).state is RecordingState.DISCARDED
    assert await told(store) == []


async def test_a_broken_recording_keeps_its_reason_and_is_not_told(store: SqlStore) -> None:
    await waits(store)
    await store_due(store, FakeRecorder(broken), Clock(later(10)))
    done = await state_of(store)
    assert (done.state, done.reason) == (RecordingState.BROKEN, "odd number of bytes")
    assert await told(store) == []


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
        assert waiting.reason == "the storage does not answer"
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
    assert len(await told(store)) == 1


async def test_two_workers_share_what_waits(store: SqlStore, other_store: SqlStore) -> None:
    await waits(store, *(f"c{i}" for i in range(9)))
    recorder, clock = FakeRecorder(good), Clock(later(10))

    async def work(at: SqlStore) -> None:
        while await store_due(at, recorder, clock):
            pass

    await asyncio.gather(work(store), work(other_store))
    assert sorted(recorder.stored) == [f"c{i}" for i in range(9)]


# The real recorder


@pytest.fixture
def places(tmp_path: Path) -> Path:
    for name in ("spool", "storage"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def recorder(places: Path) -> Iterator[SpoolRecorder]:
    made = SpoolRecorder(
        places / "spool",
        recordings.Storage.open(str(places / "storage")),
        places / "work",
        recordings.Format("mp3"),
    )
    yield made
    made.close()


def quiet(spool: Path) -> None:
    for file in spool.iterdir():
        os.utime(file, (0, 0))


async def test_real_sound_goes_from_the_spool_to_the_storage_and_is_heard(
    store: SqlStore, places: Path, recorder: SpoolRecorder
) -> None:
    await waits(store)
    pair = spool_pair(places / "spool", babble(5), tone(5))
    pair.caller.rename(places / "spool" / "c1-caller.sln")
    pair.company.rename(places / "spool" / "c1-company.sln")
    quiet(places / "spool")
    await store_due(store, recorder, Clock(later(10)))
    done = await state_of(store)
    assert done.state is RecordingState.STORED
    assert done.seconds == pytest.approx(5, abs=0.2)
    assert [len(side) > 10 for side in done.peaks] == [True, True]
    assert list((places / "spool").iterdir()) == []
    listening = StorageReader(recordings.Storage.open(str(places / "storage")))
    audio = await listening.open(done, 10, 20)
    assert (audio.total, audio.start, audio.length) == (done.bytes, 10, 20)
    assert len(b"".join([chunk async for chunk in audio.chunks])) == 20


async def test_a_file_written_to_a_moment_ago_is_left_alone(
    store: SqlStore,
    places: Path,
    recorder: SpoolRecorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("router.recorder.QUIET_SECONDS", 300.0)  # longer than the test takes
    await waits(store)
    file = places / "spool" / "c1-caller.sln"
    file.write_bytes(b"\0\0")
    os.utime(file)
    await store_due(store, recorder, Clock(later(10)))
    assert (await state_of(store)).state is RecordingState.WAITING
    assert (places / "spool" / "c1-caller.sln").exists()


async def test_a_call_of_which_nothing_was_written_is_missing_its_recording(
    store: SqlStore, recorder: SpoolRecorder
) -> None:
    await waits(store)
    await store_due(store, recorder, Clock(later(10)))
    done = await state_of(store)
    assert done.state is RecordingState.MISSING
    assert done.reason


async def test_a_call_without_sound_is_missing_its_recording_and_leaves_no_file(
    store: SqlStore, places: Path, recorder: SpoolRecorder
) -> None:
    await waits(store)
    spool_pair(places / "spool", b"", b"", "c1")
    quiet(places / "spool")
    await store_due(store, recorder, Clock(later(10)))
    done = await state_of(store)
    assert done.state is RecordingState.MISSING
    assert done.reason == "Neither side sent any sound, or the disk was full."
    assert list((places / "spool").iterdir()) == []


async def test_empty_files_of_a_call_that_ended_just_now_may_still_be_written(
    store: SqlStore, places: Path, recorder: SpoolRecorder
) -> None:
    await waits(store)
    async with store.write() as session:
        call = await session.get(Call, "c1")
        await session.calls.save([replace(call, ended_at=datetime.now(UTC) - timedelta(seconds=1))])
    spool_pair(places / "spool", b"", b"", "c1")
    quiet(places / "spool")
    await store_due(store, recorder, Clock(later(10)))
    assert (await state_of(store)).state is RecordingState.WAITING
    assert len(list((places / "spool").iterdir())) == 2


async def test_a_side_that_ends_early_is_told_with_the_moment(
    store: SqlStore, places: Path, recorder: SpoolRecorder
) -> None:
    await waits(store)
    spool_pair(places / "spool", babble(70.0), np.concatenate([tone(64.5), silence(5.5)]), "c1")
    quiet(places / "spool")
    await store_due(store, recorder, Clock(later(10)))
    assert any("side from 1:04 to" in str(said) for said in (await state_of(store)).warnings)


@pytest.mark.parametrize("answered", [True, False])
async def test_a_name_that_would_leave_the_spool_touches_nothing(
    answered: bool, store: SqlStore, places: Path, recorder: SpoolRecorder
) -> None:
    await waits(store, answered=answered, spool="../outside")
    (places / "outside-caller.sln").write_bytes(b"\0\0")
    await store_due(store, recorder, Clock(later(10)))
    expected = RecordingState.BROKEN if answered else RecordingState.DISCARDED
    assert (await state_of(store)).state is expected
    assert (places / "outside-caller.sln").exists()


async def test_the_files_of_an_unanswered_call_are_removed(
    store: SqlStore, places: Path, recorder: SpoolRecorder
) -> None:
    await waits(store, answered=False)
    (places / "spool" / "c1-caller.sln").write_bytes(b"\0\0")
    await store_due(store, recorder, Clock(later(10)))
    assert list((places / "spool").iterdir()) == []


async def test_a_talk_of_which_the_cel_log_lost_the_answer_is_kept(
    store: SqlStore, places: Path, recorder: SpoolRecorder
) -> None:
    """A full log disk: the rows of the answer were not written, the sound was."""
    await waits(store, answered=False)
    spool_pair(places / "spool", babble(3.0), tone(3.0), "c1")
    quiet(places / "spool")
    await store_due(store, recorder, Clock(later(10)))
    assert (await state_of(store)).state is RecordingState.STORED


async def test_a_full_disk_is_waited_for(
    store: SqlStore, places: Path, recorder: SpoolRecorder
) -> None:
    await waits(store)
    (places / "spool" / "c1-caller.sln").write_bytes(bytes(80_000))
    quiet(places / "spool")
    (places / "work").write_text("where the work directory should be")
    await store_due(store, recorder, Clock(later(10)))
    waiting = await state_of(store)
    assert (waiting.state, waiting.attempts) == (RecordingState.WAITING, 1)
    assert (places / "spool" / "c1-caller.sln").exists()
