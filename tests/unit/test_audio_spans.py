"""Silences of both sides and talk-over keep their moments, and the recorder keeps them."""

import json
from pathlib import Path

import numpy as np
import pytest

from recordings import Storage, store_pair
from recordings.audio_analyzer import AudioAnalyzer, Reading
from recordings.sidecar import read_sidecar, write_sidecar
from tests.support.recordings_sounds import Sound, babble, idle, spool_pair


def read(caller: Sound, company: Sound) -> Reading:
    analyzer = AudioAnalyzer()
    analyzer.add(caller, company)
    return analyzer.read()


def joined(*parts: Sound) -> Sound:
    return np.concatenate(parts)


def test_a_silence_of_both_sides_and_a_talk_over_have_their_moments() -> None:
    caller = joined(babble(4), idle(9), babble(6), idle(1))
    company = joined(idle(4), idle(6), babble(3), babble(4), idle(3))
    reading = read(caller, company)
    assert reading.silences == (pytest.approx((4, 10), abs=0.4),)
    assert reading.talk_overs == (pytest.approx((13, 17), abs=0.4),)
    assert reading.longest_silence_seconds == pytest.approx(6, abs=0.4)


def test_shorter_ones_are_no_spans_and_the_longest_is_known_all_the_same() -> None:
    reading = read(joined(babble(4), idle(1.5), babble(4)), idle(9.5))
    assert (reading.silences, reading.talk_overs) == ((), ())
    assert reading.longest_silence_seconds == pytest.approx(1.5, abs=0.4)


def test_a_call_of_many_silences_keeps_the_longest_in_order() -> None:
    caller = joined(*(joined(babble(0.5), idle(3 if n else 4)) for n in range(520)))
    silences = read(caller, idle(caller.size / 8000)).silences
    assert len(silences) == 500
    assert silences[0] == pytest.approx((0.5, 4.5), abs=0.4)
    assert list(silences) == sorted(silences)


def test_the_sidecar_has_them_and_one_of_an_earlier_version_has_not(tmp_path: Path) -> None:
    pair = spool_pair(tmp_path / "spool", joined(babble(2), idle(5)), idle(7))
    storage = Storage.open(tmp_path / "storage")
    made = store_pair(pair, storage=storage, key="a.mp3", work_dir=tmp_path / "work")
    assert made.silences == (pytest.approx((2, 7), abs=0.4),)
    assert read_sidecar(write_sidecar(made)) == made

    facts = json.loads(write_sidecar(made))
    for name in ("silences", "talk_overs", "longest_silence_seconds"):
        del facts[name]
    assert read_sidecar(json.dumps(facts).encode()).silences is None
