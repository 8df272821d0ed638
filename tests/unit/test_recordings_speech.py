"""What counts as speech, and what the meter makes of it."""

import json

import numpy as np
import pytest

from recordings.audio_analyzer import MOST_PEAKS, AudioAnalyzer, Reading
from tests.support.recordings_sounds import Sound, babble, idle, level, noise, silence, tone

BLOCK = 80_000


def measured(caller: Sound, company: Sound | None = None, block: int = BLOCK) -> Reading:
    company = np.zeros_like(caller) if company is None else company
    analyzer = AudioAnalyzer()
    for start in range(0, caller.size, block):
        analyzer.add(caller[start : start + block], company[start : start + block])
    return analyzer.read()


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(silence(30), id="digital silence"),
        pytest.param(np.full(240_000, 8, dtype=np.int16), id="A-law's idle pattern"),
        pytest.param(noise(60, dbfs=-60), id="faint noise"),
        pytest.param(noise(60, dbfs=-30), id="loud noise"),
        pytest.param(noise(60, dbfs=0), id="overdriven noise"),
        pytest.param(tone(60), id="steady tone"),
        pytest.param(
            np.tile(np.concatenate([tone(1, hertz=425), silence(4)]), 10), id="ringing tone"
        ),
        pytest.param(
            np.tile(np.concatenate([tone(0.35, hertz=425), silence(0.35)]), 60), id="busy tone"
        ),
    ],
)
def test_a_steady_sound_is_not_speech(sound: Sound) -> None:
    side = measured(sound).caller
    assert side.speech_seconds == 0
    assert (
        side.silence_seconds
        == side.longest_silence_seconds
        == pytest.approx(sound.size / 8000, abs=0.02)
    )


@pytest.mark.parametrize("background", [-200, -60, -45])
def test_a_voice_between_silences_is_measured_over_any_line_noise(background: float) -> None:
    call = np.concatenate([silence(12), babble(10), silence(20), babble(5), silence(3)])
    side = measured(call + noise(50, dbfs=background)).caller
    assert side.speech_seconds == pytest.approx(15, abs=0.5)
    assert side.silence_seconds == pytest.approx(35, abs=0.5)
    assert side.longest_silence_seconds == pytest.approx(20, abs=0.3)


def test_a_voice_that_never_pauses_is_speech_throughout() -> None:
    assert measured(babble(60)).caller.speech_seconds == pytest.approx(60, abs=0.5)


def test_a_short_yes_in_a_long_silence_is_heard() -> None:
    call = np.concatenate([silence(30), babble(0.5), silence(30)])
    assert measured(call).caller.speech_seconds == pytest.approx(0.4, abs=0.15)


def test_a_click_is_not_speech_and_a_breath_is_no_silence() -> None:
    click = np.concatenate([silence(5), noise(0.03, dbfs=-10), silence(5)])
    assert measured(click).caller.speech_seconds == 0
    breath = np.concatenate([silence(5), babble(3), silence(0.2), babble(3), silence(5)])
    assert measured(breath).caller.speech_seconds == pytest.approx(6.2, abs=0.2)


def test_talk_over_is_the_time_in_which_both_speak() -> None:
    caller = np.concatenate([babble(10), silence(10)])
    company = np.concatenate([silence(6), babble(14)])
    reading = measured(caller, company)
    assert reading.talk_over_seconds == pytest.approx(4, abs=0.3)
    assert reading.caller.speech_seconds == pytest.approx(10, abs=0.3)
    assert reading.company.speech_seconds == pytest.approx(14, abs=0.3)


@pytest.mark.parametrize(
    ("sound", "ends_at"),
    [
        (np.concatenate([babble(5), silence(3)]), 5.0),
        (np.concatenate([silence(4), tone(1), silence(5), tone(1), silence(2)]), 11.0),
        (np.concatenate([babble(5), silence(1.9)]), None),
        (np.concatenate([babble(5), idle(30)]), None),
        (np.concatenate([silence(30), babble(1)]), None),
        (silence(30), None),  # a side without speech is another flaw
    ],
    ids=[
        "a hole to the end",
        "the last of two holes",
        "a short one",
        "a room",
        "a late beginning",
        "nothing at all",
    ],
)
def test_a_hole_to_the_end_is_found_where_it_begins(sound: Sound, ends_at: float | None) -> None:
    found = measured(babble(sound.size / 8000), sound).company.ends_at
    assert found == (ends_at and pytest.approx(ends_at, abs=0.1))


def test_the_level_is_the_root_mean_square_below_full_scale() -> None:
    reading = measured(tone(10, dbfs=-20), silence(10))
    assert reading.caller.rms_dbfs == pytest.approx(-20, abs=0.1)
    assert reading.caller.rms_dbfs == pytest.approx(level(tone(10, dbfs=-20)), abs=0.1)
    assert reading.company.rms_dbfs == -96.3


def test_only_an_overdriven_side_is_called_clipped() -> None:
    assert not measured(tone(10, dbfs=-6)).clipped
    assert measured(silence(10), tone(10, dbfs=3)).clipped


def test_peaks_follow_the_loudness_of_each_side_on_one_time_scale() -> None:
    caller = np.concatenate([silence(50), tone(50, dbfs=-9.03)])
    company = np.concatenate([tone(10, dbfs=-23.01), silence(90)])
    left, right = measured(caller, company).peaks
    assert len(left) == len(right) == MOST_PEAKS
    assert set(left[:500]) == {0.0}
    assert left[505:] == pytest.approx([0.5] * 495, abs=0.01)
    assert right[:99] == pytest.approx([0.1] * 99, abs=0.01)
    assert set(right[101:]) == {0.0}
    json.dumps([left, right])


def test_peaks_reach_one_and_never_pass_it() -> None:
    left, right = measured(
        np.full(8000, -32768, dtype=np.int16), np.full(8000, 32767, dtype=np.int16)
    ).peaks
    assert max(left) == 1.0
    assert max(right) <= 1.0


def test_a_short_call_has_a_peak_for_each_frame_and_the_last_may_be_cut() -> None:
    left, _ = measured(tone(0.05)).peaks
    assert len(left) == 3


def test_the_size_of_the_blocks_changes_nothing() -> None:
    call = babble(47.013)
    assert measured(call, block=call.size) == measured(call, block=8000)
