"""What is said of a recording in whose files there is nothing."""

import os
from pathlib import Path

import pytest

import recordings
from router.domain.calls.call import Call, Ending, Recording, RecordingState, State
from router.recorder import NOT_WRITTEN, SpoolRecorder
from tests.support.builders import NOON


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        (Ending.CUT, NOT_WRITTEN),
        (Ending.ANSWERED, "Neither side sent any sound, or the disk was full."),
    ],
)
async def test_a_call_without_sound_says_where_its_sound_was(
    tmp_path: Path, ending: Ending, reason: str
) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    storage = recordings.Storage.open(str(tmp_path))
    recorder = SpoolRecorder(spool, storage, tmp_path, recordings.Format.MP3)
    pair = recordings.SpoolPair(directory=spool, name="c1")
    for file in (pair.caller, pair.company):
        file.touch()
        os.utime(file, (0, 0))
    times = {"arrived_at": NOON, "ended_at": NOON}
    call = Call(id="c1", did="1", trunk="t", state=State.ENDED, ending=ending, **times)
    waiting = Recording(
        call_id="c1",
        spool_name="c1",
        state=RecordingState.WAITING,
        expected_seconds=1,
        due_at=NOON,
    )
    try:
        done = await recorder.store(waiting, call)
    finally:
        recorder.close()
    assert (done.state, done.reason) == (RecordingState.MISSING, reason)
    assert list(spool.iterdir()) == []
