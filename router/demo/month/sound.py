"""Conversations of recorded human speech for invented calls: two people who take turns."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import recordings
from router.phone.speech import RATE, Samples, read_speech

_BYTES = (16_000, 80_000)  # of a prompt: one to five seconds
_PROMPTS = ("agent-*", "auth-*", "demo-*", "dir-*", "pbx-*", "priv-*", "queue-*", "vm-*")
_TAKES_TURNS = 0.75
_DEEPER = 1.13  # the caller's voice; all prompts are spoken by one person


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What both sides say, equally long."""

    caller: Samples
    company: Samples

    def spool(self, pair: recordings.SpoolPair) -> None:
        """Write it as Asterisk's MixMonitor writes a call."""
        pair.directory.mkdir(parents=True, exist_ok=True)
        pair.caller.write_bytes(self.caller.astype("<i2").tobytes())
        pair.company.write_bytes(self.company.astype("<i2").tobytes())


class Voices:
    """Asterisk's prompts, for both sides."""

    def __init__(self, directory: Path) -> None:
        found = {path for pattern in _PROMPTS for path in directory.glob(f"{pattern}.wav")}
        self._files = sorted(path for path in found if _fits(path))
        self._read: dict[tuple[Path, bool], Samples] = {}

    def __bool__(self) -> bool:
        return bool(self._files)

    def talk(self, seconds: float, chance: random.Random) -> Conversation:
        """A conversation of this length: turns, pauses, and now and then both at once."""
        length = int(seconds * RATE)
        sides = {True: np.zeros(length, np.int16), False: np.zeros(length, np.int16)}
        at, calls = int(0.4 * RATE), False
        for turn, said in enumerate(self._turns(chance, sides)):
            side = sides[calls]
            part = said[calls][: max(0, length - at)]
            side[at : at + len(part)] = part
            at += len(part) + int(RATE * _pause(chance))
            if turn == 0 or chance.random() < _TAKES_TURNS:
                calls = not calls
            if at >= length:
                break
        return Conversation(caller=sides[True], company=sides[False])

    def _turns(
        self, chance: random.Random, sides: dict[bool, Samples]
    ) -> Iterator[dict[bool, Samples]]:
        while True:
            path = chance.choice(self._files)
            yield {caller: self._voice(path, caller=caller) for caller in sides}

    def _voice(self, path: Path, *, caller: bool) -> Samples:
        key = (path, caller)
        if key not in self._read:
            samples = read_speech([path])
            if caller:
                samples = _deeper(samples)
            self._read[key] = samples
        return self._read[key]


def _fits(path: Path) -> bool:
    return _BYTES[0] <= path.stat().st_size <= _BYTES[1]


def _pause(chance: random.Random) -> float:
    """Seconds between two turns: negative where the next one interrupts."""
    kind = chance.random()
    if kind < 0.12:
        return -chance.uniform(0.4, 1.2)
    if kind > 0.95:
        return chance.uniform(5, 9)
    return chance.uniform(0.1, 1.0)


def _deeper(samples: Samples) -> Samples:
    places = np.arange(0, len(samples) - 1, 1 / _DEEPER)
    lower = np.interp(places, np.arange(len(samples)), samples)
    quieter: Samples = (lower * 0.7).astype(np.int16)
    return quieter
