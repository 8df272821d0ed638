"""Pauses in which no side sent are put back into a recording, and nothing else is."""

import struct
from pathlib import Path

import numpy as np
import pytest

from recordings import Course, Format, SpoolPair, Storage, store_pair
from recordings.growth import Gap, Growth, gaps, read_growths
from recordings.spool import OpenPair, opened
from router.asterisk.late_frames import find_buffer, find_flush, without_rule
from router.asterisk.spool_growth import SpoolGrowth
from tests.support.builders import NOON

SECOND = 16_000  # bytes
COURSE = Course(answered_at=100.0, ended_at=110.0)


def growth(at: float, before: float, after: float) -> Growth:
    """At so many seconds after the answer, from and to so many seconds of sound."""
    return Growth(at=100.0 + at, before=round(before * SECOND), after=round(after * SECOND))


@pytest.mark.parametrize(
    ("growths", "seconds", "found"),
    [
        ([], 10, []),
        ([growth(0.1, 0, 0.1)], 9.9, []),
        ([growth(3, 1, 1.1), growth(6, 2, 2.1)], 6, [(1, 1.9), (2, 2)]),
        ([growth(2, 0, 0.1)], 8.1, [(0, 1.9)]),
        # written late, as a machine that was busy does
        ([growth(3, 1, 1.2), growth(4, 1.2, 4)], 10, []),
        # two seconds at once, as Asterisk writes without the correction
        ([growth(2.1, 0, 2), growth(7.1, 2, 4), growth(9.1, 4, 6)], 7, [(2, 3)]),
        ([growth(5, 9, 9.1)], 10, []),
        ([growth(-50, 1, 2), growth(900, 1, 2)], 9.9, []),
    ],
)
def test_what_was_lost_for_good_is_put_back_where_the_files_stood_still(
    growths: list[Growth], seconds: float, found: list[tuple[float, float]]
) -> None:
    got = list(gaps(growths, round(seconds * SECOND), COURSE))
    assert [(gap.at / 8000, pytest.approx(gap.samples / 8000, abs=0.02)) for gap in got] == [
        (at, length) for at, length in found
    ]


def test_time_in_which_nothing_is_recorded_is_not_put_back() -> None:
    course = Course(answered_at=100.0, ended_at=110.0, pauses=((103.0, 106.0), (90.0, 100.5)))
    assert course.recorded(110.0) == pytest.approx(6.5)
    assert list(gaps([growth(6.1, 2.5, 2.6)], round(6.5 * SECOND), course)) == []


def test_a_damaged_note_is_no_note(tmp_path: Path) -> None:
    file = tmp_path / "a-growth"
    assert read_growths(file) == []
    whole = growth(1, 2, 3)
    file.write_bytes(whole.row() + b"torn")
    assert read_growths(file) == [whole]


def test_silence_is_read_between_the_samples_of_both_sides(tmp_path: Path) -> None:
    pair = SpoolPair(directory=tmp_path, name="a")
    sound = np.arange(1, 8001, dtype="<i2")
    pair.caller.write_bytes(sound.tobytes())
    pair.company.write_bytes(sound[:4000].tobytes())
    with opened(pair) as audio:
        whole = OpenPair(
            pair=pair, sides=audio.sides, sizes=audio.sizes,
            gaps=(Gap(at=160, samples=160_000), Gap(at=320, samples=160)),
        )  # fmt: skip
        blocks = list(whole.blocks())
        assert whole.seconds == 21.02
    assert all(len(caller) % 160 == 0 and len(caller) == len(company) for caller, company in blocks)
    for side, end in enumerate((8000, 4000)):
        heard = np.concatenate([block[side] for block in blocks])
        assert heard.size == 168_160
        assert not heard[160:160_160].any()
        assert not heard[160_320:160_480].any()
        assert (heard[heard > 0] == sound[:end]).all()


def test_a_stored_recording_has_the_silence_and_leaves_nothing_in_the_spool(tmp_path: Path) -> None:
    pair = SpoolPair(directory=tmp_path / "spool", name="a")
    pair.growth.parent.mkdir(parents=True)
    for path in (pair.caller, pair.company):
        path.write_bytes(struct.pack("<h", 900) * 16_000)
    pair.growth.write_bytes(growth(7, 1, 1.2).row())
    stored = store_pair(
        pair, storage=Storage.open(tmp_path / "kept"), key="a.wav", work_dir=tmp_path / "work",
        format=Format.MP3, course=Course(answered_at=100.0, ended_at=108.0),
    )  # fmt: skip
    assert stored.seconds == pytest.approx(7.8, abs=0.05)
    assert [path.name for path in pair.directory.rglob("*")] == ["growth"]


def test_a_file_that_stood_still_is_noted_when_it_grows(tmp_path: Path) -> None:
    now = 0.0
    watch = SpoolGrowth(tmp_path, lambda: NOON, lambda: now)
    watch.heard("a")
    watch.heard("../b")
    pair = SpoolPair(directory=tmp_path, name="a")
    for at, size in ((0.1, 320), (0.2, 640), (0.9, 640), (1.0, 960), (1.1, 960), (1.2, 1280)):
        now = at
        pair.company.write_bytes(bytes(size))
        watch.look()
    (noted,) = read_growths(pair.growth)
    assert noted == Growth(at=NOON.timestamp(), before=640, after=960)
    pair.company.unlink()
    watch.look()
    pair.company.write_bytes(bytes(5000))
    now = 9.0
    watch.look()
    assert read_growths(pair.growth) == [noted], "what was stored is watched no longer"


def test_the_size_of_asterisks_buffer_becomes_one_frame() -> None:
    code = bytes.fromhex("b90080000031d24889c6e82964f3ff")
    before = b"\x7fELF" + bytes(60) + code + bytes(20)
    after = without_rule(before, find_buffer)
    assert after is not None
    assert after[64:69].hex() == "b940010000"
    assert find_buffer(after) is None
    assert find_buffer(before + code) is None, "one that is not known is left alone"


def test_sound_of_a_side_that_is_ahead_is_kept() -> None:
    code = bytes.fromhex("4429f883f8647e30833de6423500030f8f54020000")
    before = b"\x7fELF" + bytes(60) + code + bytes(20)
    after = without_rule(before, find_flush)
    assert after is not None
    assert after == before.replace(b"\x7e\x30", b"\xeb\x30")
    assert find_flush(after) is None
    assert find_flush(before + code) is None, "one that is not known is left alone"
