"""The measure of a recording's sound forgives a busy machine, and nothing that is a fault."""

import audioop
import random

import numpy as np
import pytest

from tests.acceptance.rtp import Samples
from tests.acceptance.whole_sound import faults, faults_of, spoken_frames

CALLER, COMPANY, SENT = 1, 2, 350
ALL = [(CALLER, number) for number in range(SENT)]


def alaw(sound: Samples) -> Samples:
    """The sound after the coding of a telephone line."""
    return np.frombuffer(audioop.alaw2lin(audioop.lin2alaw(sound.tobytes(), 2), 2), np.int16)


def test_sound_that_arrived_whole_has_no_fault() -> None:
    quiet = np.zeros(2_345, np.int16)
    said = np.concatenate([quiet, spoken_frames(CALLER, SENT), quiet])
    assert faults(alaw(said), CALLER, SENT) == []


@pytest.mark.parametrize("seed", range(20))
def test_three_frames_in_ten_may_be_lost(seed: int) -> None:
    draw = random.Random(seed)
    kept = [frame for frame in ALL if draw.random() >= 0.3]
    assert faults_of(kept, CALLER, SENT) == []


@pytest.mark.parametrize("first", [0, 1, 75, 130, SENT - 51, SENT - 50])
def test_a_missing_second_is_a_fault_wherever_it_begins(first: int) -> None:
    assert faults_of(ALL[:first] + ALL[first + 50 :], CALLER, SENT)


@pytest.mark.parametrize(
    "heard",
    [
        pytest.param(ALL[:-50], id="the end is missing"),
        pytest.param(ALL[::2], id="half of the frames are lost"),
        pytest.param([(COMPANY, number) for _, number in ALL], id="the sides are swapped"),
        pytest.param([], id="silence"),
        pytest.param([*ALL, (COMPANY, 7)], id="a frame of the other side"),
        pytest.param(ALL[:200] + ALL[150:], id="a part is repeated"),
        pytest.param([*ALL, *ALL], id="all is repeated"),
        pytest.param(ALL[175:] + ALL[:175], id="the halves are swapped"),
        pytest.param([*ALL[:5], ALL[4], *ALL[5:]], id="a frame is doubled"),
    ],
)
def test_what_the_program_can_do_wrong_is_a_fault(heard: list[tuple[int, int]]) -> None:
    assert faults_of(heard, CALLER, SENT)


def test_silence_has_no_frames() -> None:
    assert faults(np.zeros(8_000 * 7, np.int16), CALLER, SENT)
