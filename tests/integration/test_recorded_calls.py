"""What the real recorder makes of recordings that wait."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import recordings
from router.domain.calls.call import Call, RecordingState
from router.domain.calls.recording_codes import NoRecordingCode
from router.domain.delivery.outcome import Outcome
from router.recorder import SpoolRecorder, StorageReader
from router.service.calls.recording import store_due
from router.store.engine import SqlStore
from tests.integration.waiting_recordings import state_of, waits
from tests.support.builders import Clock, later
from tests.support.recordings_sounds import babble, silence, spool_pair, tone


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
    assert done.reason == Outcome.of(NoRecordingCode.NO_SOUND)
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


async def test_a_side_that_ends_early_is_reported_with_the_moment(
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
