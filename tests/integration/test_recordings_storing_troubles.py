"""From a spool pair to a recording when something is wrong: the pair, ffmpeg, the storage."""

import asyncio
from pathlib import Path

import pytest

from recordings import (
    Storage,
)
from recordings.errors import (
    BrokenSpool,
    EncoderFailed,
    EncoderMissing,
    EncoderTimedOut,
    InvalidName,
    NoSound,
    NotStored,
    StillGrowing,
    StoredCopyDiffers,
)
from tests.integration.recordings_house import KEY, NAME, House
from tests.support.recordings_sounds import (
    babble,
    spool_pair,
    tone,
)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(spool=tmp_path / "spool", work=tmp_path / "work", folder=tmp_path / "storage")


def test_a_broken_pair_is_kept_aside_with_its_reason(house: House) -> None:
    pair = spool_pair(house.spool, b"RIFF....", b"")
    with pytest.raises(BrokenSpool) as told:
        house.store(pair)
    assert pair.files() == ()
    assert (house.spool / "broken" / f"{NAME}.reason.txt").read_text().strip() == str(told.value)
    assert (house.spool / "broken" / f"{NAME}-caller.sln").exists()
    assert list(house.storage.list()) == []


def test_a_pair_without_sound_is_left_to_be_discarded_and_nothing_is_kept_aside(
    house: House,
) -> None:
    pair = spool_pair(house.spool, b"", b"")
    with pytest.raises(NoSound):
        house.store(pair)
    assert house.is_untouched(pair)
    assert not (house.spool / "broken").exists()


def test_a_bad_key_touches_nothing(house: House) -> None:
    pair = spool_pair(house.spool, babble(1), babble(1))
    with pytest.raises(InvalidName):
        house.store(pair, key="../outside.mp3")
    assert house.is_untouched(pair)


def test_a_missing_ffmpeg_is_reported_and_the_pair_waits(house: House) -> None:
    pair = spool_pair(house.spool, babble(1), babble(1))
    with pytest.raises(EncoderMissing, match="ffmpeg"):
        house.store(pair, ffmpeg="/nonexistent/ffmpeg")
    assert house.is_untouched(pair)


def stand_in(directory: Path, script: str) -> str:
    program = directory / "ffmpeg"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize("seconds", [1, 60])
def test_a_hung_ffmpeg_is_stopped_and_the_pair_waits(
    house: House, tmp_path: Path, seconds: int
) -> None:
    pair = spool_pair(house.spool, babble(seconds), babble(seconds))
    with pytest.raises(EncoderTimedOut):
        house.store(pair, ffmpeg=stand_in(tmp_path, "exec sleep 1000"), timeout_seconds=0.3)
    assert house.is_untouched(pair)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 'Unknown encoder libmp3lame' >&2; exit 1", "Unknown encoder libmp3lame"),
        ("cat >/dev/null", "not whole"),
        (
            'cat >/dev/null; for to; do :; done; echo x >"${to#file:}"; echo progress=end',
            "not whole",
        ),
        ('head -c 100000 | ffmpeg "$@"', "not whole"),
    ],
    ids=["it complains", "it writes nothing", "it writes rubbish", "it stops early"],
)
def test_an_ffmpeg_that_fails_or_lies_leaves_the_pair_waiting(
    house: House, tmp_path: Path, script: str, words: str
) -> None:
    pair = spool_pair(house.spool, babble(60), babble(60))
    with pytest.raises(EncoderFailed, match=words):
        house.store(pair, ffmpeg=stand_in(tmp_path, script))
    assert house.is_untouched(pair)


def test_a_pair_that_asterisk_still_writes_to_is_not_stored(house: House, tmp_path: Path) -> None:
    pair = spool_pair(house.spool, babble(5), babble(5))
    script = f"printf abcd >>'{pair.company}'; exec ffmpeg \"$@\""
    with pytest.raises(StillGrowing):
        house.store(pair, ffmpeg=stand_in(tmp_path, script))
    assert house.is_untouched(pair)


def test_a_storage_that_keeps_something_else_does_not_empty_the_spool(house: House) -> None:
    class Forgetful(Storage):
        def _put(self, key: str, content: Path | bytes, content_type: str) -> None:
            super()._put(key, b"something else", content_type)

    pair = spool_pair(house.spool, babble(1), babble(1))
    honest = Storage.open(house.folder)
    with pytest.raises(StoredCopyDiffers):
        house.store(pair, storage=Forgetful(honest._store))
    assert len(pair.files()) == 2
    with pytest.raises(NotStored):
        honest.stat(KEY)


async def test_several_calls_are_stored_at_once_in_threads(house: House) -> None:
    pairs = [spool_pair(house.spool, babble(10), tone(10), f"call-{n}") for n in range(6)]
    recordings = await asyncio.gather(
        *(asyncio.to_thread(house.store, pair, key=f"{pair.name}.mp3") for pair in pairs)
    )
    assert len({recording.sha256 for recording in recordings}) == 1
    assert len(list(house.storage.list())) == 6
    assert list(house.spool.iterdir()) == []
