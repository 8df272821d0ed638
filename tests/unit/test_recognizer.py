"""The demo's speech to text: which prompts are said, and when."""

import wave
from pathlib import Path

import numpy as np
import pytest

from router.demo.month.prompts import deeper, read_texts
from router.demo.month.recognizer import Recognizer
from router.phone.speech import RATE, Samples

TEXTS = {name: f"This is {name}." for name in ("one", "two", "three", "four")}


def a_prompt(seed: int) -> Samples:
    """Syllables of several tones."""
    chance = np.random.default_rng(seed)
    times = np.arange(RATE // 5) / RATE
    loud = 8000 * np.sin(np.pi * times / times[-1])
    syllables = []
    for _ in range(6 + seed):
        tones = np.sin(2 * np.pi * np.outer(chance.uniform(200, 3000, 4), times))
        syllables.append(loud * tones.mean(axis=0))
    return np.concatenate(syllables).astype(np.int16)


PROMPTS = {name: a_prompt(seed) for seed, name in enumerate(TEXTS)}


@pytest.fixture
def recognizer(tmp_path: Path) -> Recognizer:
    for name, samples in PROMPTS.items():
        with wave.open(str(tmp_path / f"{name}.wav"), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(samples.astype("<i2").tobytes())
    return Recognizer(tmp_path, TEXTS)


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE), np.int16)


def test_prompts_are_found_in_their_order_with_their_times(recognizer: Recognizer) -> None:
    said = [silence(1), PROMPTS["three"], silence(0.5), PROMPTS["one"], silence(2), PROMPTS["four"]]
    heard = list(recognizer.hear(np.concatenate(said)))
    assert [one.text for one in heard] == [TEXTS[name] for name in ("three", "one", "four")]
    begins = [1.0, 1.0 + len(PROMPTS["three"]) / RATE + 0.5]
    assert [one.start for one in heard[:2]] == pytest.approx(begins, abs=0.1)
    assert all(one.start < one.end for one in heard)


@pytest.mark.parametrize("volume", [0.2, 1.0, 3.0])
def test_a_deeper_voice_of_any_volume_is_understood(recognizer: Recognizer, volume: float) -> None:
    voice = (deeper(PROMPTS["two"]) * volume).astype(np.int16)
    (heard,) = recognizer.hear(np.concatenate([silence(0.3), voice, silence(0.3)]))
    assert heard.text == TEXTS["two"]


def test_a_prompt_that_is_cut_off_is_understood(recognizer: Recognizer) -> None:
    (heard,) = recognizer.hear(np.concatenate([silence(0.2), PROMPTS["four"][: RATE * 6 // 5]]))
    assert heard.text == TEXTS["four"]


def test_other_sounds_are_no_prompts(recognizer: Recognizer) -> None:
    noise = np.random.default_rng(7).normal(0, 3000, RATE * 3).astype(np.int16)
    assert list(recognizer.hear(noise)) == []
    assert list(recognizer.hear(silence(3))) == []
    assert list(recognizer.hear(silence(0))) == []


def test_texts_are_read_without_what_is_not_said(tmp_path: Path) -> None:
    written = "; Core sounds\n\nbeep: [a tone]\nvm-intro: please leave it. (tone)\nx: ... i go"
    (tmp_path / "core-sounds-en.txt").write_text(written)
    assert read_texts(tmp_path) == {"vm-intro": "Please leave it.", "x": "I go"}


def test_without_a_list_of_texts_nothing_is_known(tmp_path: Path) -> None:
    assert read_texts(tmp_path / "sounds") == {}
