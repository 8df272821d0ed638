"""Conversations of recorded human speech for invented calls: two people who take turns."""

import random
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np

import recordings
from router.demo.month.prompts import CALLER_SAYS, COMPANY_SAYS, deeper, prompts_in
from router.phone.speech import RATE, Samples, read_speech

_TAKES_TURNS = 0.75
_OWN_PAUSE = 0.3  # seconds: people do not interrupt themselves


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
        self._files = {
            True: prompts_in(directory, CALLER_SAYS),
            False: prompts_in(directory, COMPANY_SAYS),
        }
        self._read: dict[tuple[Path, bool], Samples] = {}

    def __bool__(self) -> bool:
        return all(self._files.values())

    def talk(self, seconds: float, chance: random.Random) -> Conversation:
        """A conversation of this length: turns, pauses, and now and then both at once."""
        length = int(seconds * RATE)
        sides = {True: np.zeros(length, np.int16), False: np.zeros(length, np.int16)}
        at, calls = int(0.4 * RATE), False
        for turn in count():
            side = sides[calls]
            said = self._voice(chance.choice(self._files[calls]), caller=calls)
            part = said[: max(0, length - at)]
            side[at : at + len(part)] = part
            pause = _pause(chance)
            if turn == 0 or chance.random() < _TAKES_TURNS:
                calls = not calls
            else:
                pause = max(pause, _OWN_PAUSE)
            at += len(part) + int(RATE * pause)
            if at >= length:
                break
        return Conversation(caller=sides[True], company=sides[False])

    def _voice(self, path: Path, *, caller: bool) -> Samples:
        key = (path, caller)
        if key not in self._read:
            samples = read_speech([path])
            if caller:
                samples = deeper(samples)
            self._read[key] = samples
        return self._read[key]


def _pause(chance: random.Random) -> float:
    """Seconds between two turns: negative where the next one interrupts."""
    kind = chance.random()
    if kind < 0.12:
        return -chance.uniform(0.4, 1.2)
    if kind > 0.95:
        return chance.uniform(5, 9)
    return chance.uniform(0.1, 1.0)
