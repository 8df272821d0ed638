"""What is said of a recording in whose files there is nothing."""

import os
from pathlib import Path

import pytest

import recordings
from recordings.errors import OutsideRecording, RecordingError, Retryable
from recordings.spool import opened
from router.domain.calls.call import Call, Ending, Recording, RecordingState, State
from router.domain.calls.recording_codes import NoRecordingCode
from router.domain.delivery.outcome import Outcome, sentence
from router.recorder import CODES, SpoolRecorder, reason_of
from router.web.languages import LANGUAGES
from tests.support.builders import NOON


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        (Ending.CUT, NoRecordingCode.NOTHING_WRITTEN),
        (Ending.ANSWERED, NoRecordingCode.NO_SOUND),
    ],
)
async def test_a_call_without_sound_says_where_its_sound_was(
    tmp_path: Path, ending: Ending, code: NoRecordingCode
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
    assert (done.state, done.reason) == (RecordingState.MISSING, Outcome.of(code))
    assert list(spool.iterdir()) == []


def _kinds(kind: type[RecordingError]) -> set[type[RecordingError]]:
    return {kind}.union(*map(_kinds, kind.__subclasses__()))


def test_every_error_of_a_recording_has_a_code() -> None:
    assert _kinds(RecordingError) - {RecordingError, Retryable, OutsideRecording} == set(CODES)


def test_a_reason_names_the_file_in_the_readers_language(tmp_path: Path) -> None:
    pair = recordings.SpoolPair(directory=tmp_path, name="c1")
    pair.caller.write_bytes(b"RIFF....")
    with pytest.raises(RecordingError) as raised, opened(pair):
        pass
    code = reason_of(raised.value)
    assert str(code) == "c1-caller.sln is a WAV file, not raw 8 kHz samples; it was kept aside"
    assert "c1-caller.sln" in sentence(code, LANGUAGES["ru"].messages.gettext)


def test_an_error_of_the_system_keeps_its_words() -> None:
    assert "Permission denied: '/x'" in str(
        reason_of(PermissionError(13, "Permission denied", "/x"))
    )
