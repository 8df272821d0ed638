"""The spool pair: which names are taken, what is read, what becomes of files that are no audio."""

import os
from pathlib import Path

import numpy as np
import pytest

from recordings import AudioWarning, SpoolPair, discard, is_settled, keep_aside
from recordings.errors import (
    BrokenSpool,
    InvalidName,
    NoSound,
    Retryable,
    SpoolBusy,
    SpoolMissing,
    StillGrowing,
)
from recordings.spool import opened
from tests.support.recordings_sounds import silence, spool_pair, tone

NOON = 1_768_912_345.0


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../etc/passwd",
        "a/b",
        "a\\b",
        ".hidden",
        "a b",
        "a\n",
        "a\0",
        "звонок",
        "a" * 201,
        "$(id)",
    ],
)
def test_a_name_that_could_leave_the_spool_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidName):
        SpoolPair(directory=tmp_path, name=name)


def test_a_name_as_asterisk_makes_it_is_taken(tmp_path: Path) -> None:
    pair = SpoolPair(directory=tmp_path, name="pbx-1768912345.42")
    assert pair.caller.name == "pbx-1768912345.42-caller.sln"
    assert pair.company.name == "pbx-1768912345.42-company.sln"


def test_a_pair_is_settled_when_neither_side_was_written_to_for_the_quiet_time(
    tmp_path: Path,
) -> None:
    pair = spool_pair(tmp_path, tone(1), tone(1))
    os.utime(pair.caller, (NOON - 60, NOON - 60))
    os.utime(pair.company, (NOON - 1, NOON - 1))
    assert not is_settled(pair, quiet_seconds=5, now=NOON)
    assert is_settled(pair, quiet_seconds=5, now=NOON + 4)


def test_a_missing_pair_is_not_waited_for(tmp_path: Path) -> None:
    assert is_settled(SpoolPair(directory=tmp_path, name="gone"), quiet_seconds=5, now=NOON)


def test_an_unanswered_call_leaves_no_file(tmp_path: Path) -> None:
    pair = spool_pair(tmp_path, tone(1), None)
    discard(pair)
    discard(pair)
    assert list(tmp_path.iterdir()) == []


def test_the_shorter_side_is_padded_with_silence(tmp_path: Path) -> None:
    with opened(spool_pair(tmp_path, tone(25), tone(12))) as audio:
        blocks = list(audio.blocks())
        assert AudioWarning.SIDES_DIFFER in audio.warnings()
    caller = np.concatenate([block[0] for block in blocks])
    company = np.concatenate([block[1] for block in blocks])
    assert np.array_equal(caller, tone(25))
    assert np.array_equal(company, np.concatenate([tone(12), silence(13)]))


def test_half_a_sample_at_the_end_is_dropped_and_reported(tmp_path: Path) -> None:
    with opened(spool_pair(tmp_path, tone(1).tobytes() + b"\x07", tone(1))) as audio:
        assert audio.samples == 8000
        assert list(audio.warnings()) == [AudioWarning.CUT_SAMPLE]
        assert np.array_equal(next(audio.blocks())[0], tone(1))


@pytest.mark.parametrize("absent", [None, b""])
def test_a_side_that_was_never_written_is_silence(absent: bytes | None, tmp_path: Path) -> None:
    with opened(spool_pair(tmp_path, absent, tone(1))) as audio:
        assert list(audio.warnings()) == [AudioWarning.CALLER_MISSING]
        assert not next(audio.blocks())[0].any()


def test_a_pair_that_is_not_there_is_missing_and_not_broken(tmp_path: Path) -> None:
    with pytest.raises(SpoolMissing), opened(SpoolPair(directory=tmp_path, name="gone")):
        pass


@pytest.mark.parametrize(("caller", "company"), [(b"", b""), (b"", None), (b"\x01", b"")])
def test_a_pair_without_a_single_sample_has_no_sound(
    caller: bytes, company: bytes | None, tmp_path: Path
) -> None:
    with pytest.raises(NoSound), opened(spool_pair(tmp_path, caller, company)):
        pass


def test_a_file_of_another_kind_is_broken_and_not_played_as_noise(tmp_path: Path) -> None:
    with (
        pytest.raises(BrokenSpool, match="WAV"),
        opened(spool_pair(tmp_path, b"RIFF" + bytes(40), tone(1))),
    ):
        pass


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(tone(1).tobytes())
    pair = spool_pair(tmp_path / "spool", None, tone(1))
    pair.caller.symlink_to(secret)
    with pytest.raises(BrokenSpool, match="plain file"), opened(pair):
        pass


def test_a_named_pipe_does_not_hang_the_worker(tmp_path: Path) -> None:
    pair = spool_pair(tmp_path, None, tone(1))
    os.mkfifo(pair.caller)
    with pytest.raises(BrokenSpool, match="plain file"), opened(pair):
        pass


def test_a_pair_kept_aside_has_its_reason_beside_it(tmp_path: Path) -> None:
    pair = spool_pair(tmp_path, b"RIFF", tone(1))
    broken = keep_aside(pair, "it hums")
    assert pair.files() == ()
    assert (broken / pair.caller.name).read_bytes() == b"RIFF"
    assert (broken / f"{pair.name}.reason.txt").read_text() == "it hums\n"


def test_two_workers_do_not_open_one_pair(tmp_path: Path) -> None:
    pair = spool_pair(tmp_path, tone(1), tone(1))
    with opened(pair), pytest.raises(SpoolBusy), opened(pair):
        pass
    with opened(pair) as audio:
        assert audio.samples


def test_what_asterisk_appends_after_the_opening_is_noticed(tmp_path: Path) -> None:
    pair = spool_pair(tmp_path, tone(1), tone(1))
    with opened(pair) as audio:
        audio.check_unchanged()
        with pair.company.open("ab") as file:
            file.write(tone(1).tobytes())
        assert sum(block[0].size for block in audio.blocks()) == 8000
        with pytest.raises(StillGrowing):
            audio.check_unchanged()


def test_a_side_that_appears_after_the_opening_is_noticed(tmp_path: Path) -> None:
    pair = spool_pair(tmp_path, tone(1), None)
    with opened(pair) as audio:
        pair.company.write_bytes(tone(1).tobytes())
        with pytest.raises(StillGrowing):
            audio.check_unchanged()


def test_what_can_be_tried_again_is_distinguished_from_what_is_broken() -> None:
    assert issubclass(SpoolBusy, Retryable)
    assert issubclass(StillGrowing, Retryable)
    assert not issubclass(BrokenSpool, Retryable)
    assert str(SpoolBusy()) == "Another worker is handling this recording."
