"""What counts as whole speech: lost packets of a busy machine do, a missing part does not."""

import numpy as np
import pytest

from tests.acceptance.audio import RATE, Samples, is_whole
from tests.acceptance.calling import QUESTION, greeting

pause = np.zeros(RATE, np.int16)


def heard(*parts: Samples) -> Samples:
    return np.concatenate([pause, *parts, pause])


@pytest.mark.parametrize("seed", range(5))
def test_speech_that_lost_one_packet_of_fifty_is_whole(seed: int) -> None:
    chance = np.random.default_rng(seed)
    packets = [QUESTION[start : start + 160] for start in range(0, len(QUESTION), 160)]
    assert is_whole(heard(*(packet for packet in packets if chance.random() > 0.02)), QUESTION)


def test_speech_without_its_end_its_beginning_or_its_middle_is_not_whole() -> None:
    third = len(QUESTION) // 3
    assert is_whole(heard(QUESTION), QUESTION)
    assert not is_whole(heard(QUESTION[: -2 * RATE]), QUESTION)
    assert not is_whole(heard(QUESTION[2 * RATE :]), QUESTION)
    assert not is_whole(heard(QUESTION[:third], QUESTION[2 * third :]), QUESTION)


def test_silence_and_the_other_side_are_not_whole() -> None:
    assert not is_whole(heard(), QUESTION)
    assert not is_whole(heard(greeting()), QUESTION)
    assert not is_whole(heard(QUESTION), greeting())
