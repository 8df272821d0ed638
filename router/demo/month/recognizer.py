"""Recognizes Asterisk's prompts in a recording by their sound: the speech to text of the demo.

Loudness in bands of frequency, fifty times a second, is compared with that of each prompt, where
speech begins after a pause.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from router.demo.month.prompts import deeper
from router.phone.speech import RATE, Samples, read_speech

Frames = NDArray[np.float32]  # a row for each moment, a column for each band

STEP = RATE // 50  # samples from one moment to the next
_WINDOW = 2 * STEP
_EDGES = np.geomspace(120, 3400, 17)  # hertz, of the bands
_QUIET = 6.0  # a moment whose loudest band is below is silent (logarithm of energy)
_PAUSE = 5  # moments of silence after which a prompt may begin
_HEAD = 20  # moments that are compared first
_FINALISTS = 8
_SHIFTS = range(-3, 4)  # moments
_ALIKE = 0.75  # cosine
_AS_GOOD = 0.03  # of two that are as good, the longer one is said


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One prompt; seconds from the beginning."""

    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    text: str
    frames: Frames


class Recognizer:
    """Knows the prompts of a directory, in both voices."""

    def __init__(self, directory: Path, texts: Mapping[str, str]) -> None:
        self._known = list(_read(directory, texts))
        heads = [_unit(known.frames[:_HEAD]) for known in self._known]
        self._heads = np.array(heads)

    def hear(self, samples: Samples) -> Iterator[Heard]:
        """The prompts that are said, in their order; other sounds are left out."""
        frames = frames_of(samples)
        speaks = frames.max(axis=1, initial=0) > _QUIET
        at = 0
        while (begins := _next_begin(speaks, at)) is not None:
            found = self._best(frames, begins)
            if found is None:
                at = _next_pause(speaks, begins)
                continue
            shift, known = found
            ends = min(begins + shift + len(known.frames), len(frames))
            yield Heard(start=begins * STEP / RATE, end=ends * STEP / RATE, text=known.text)
            at = ends

    def _best(self, frames: Frames, begins: int) -> tuple[int, _Known] | None:
        """The prompt that begins here, and by how much earlier or later."""
        found: list[tuple[float, int, _Known]] = []
        for shift in _SHIFTS:
            part = frames[max(0, begins + shift) :]
            if len(part) < _HEAD:
                continue
            likeness = self._heads @ _unit(part[:_HEAD])
            for place in np.argsort(-likeness)[:_FINALISTS]:
                known = self._known[place]
                length = min(len(part), len(known.frames))
                alike = float(_unit(part[:length]) @ _unit(known.frames[:length]))
                found.append((alike, shift, known))
        best = max((alike for alike, _, _ in found), default=0.0)
        if best < _ALIKE:
            return None
        good = [one for one in found if one[0] > best - _AS_GOOD]
        _, shift, known = max(good, key=lambda one: (len(one[2].frames), one[0]))
        return shift, known


def frames_of(samples: Samples) -> Frames:
    """The loudness in each band (logarithm of energy), fifty times a second."""
    count = max(0, (len(samples) - _WINDOW) // STEP + 1)
    if not count:
        return np.zeros((0, len(_EDGES) - 1), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::STEP]
    spectrum = np.abs(np.fft.rfft(windows * np.hanning(_WINDOW), axis=1)) ** 2
    bins = np.searchsorted(np.fft.rfftfreq(_WINDOW, 1 / RATE), _EDGES)
    sums = np.add.reduceat(spectrum, bins, axis=1)[:, :-1]
    return np.log10(sums + 1e4).astype(np.float32)


def _read(directory: Path, texts: Mapping[str, str]) -> Iterator[_Known]:
    for name, text in texts.items():
        path = directory / f"{name}.wav"
        if not path.exists():
            continue
        samples = read_speech([path])
        for voice in (samples, deeper(samples)):
            frames = _trimmed(frames_of(voice))
            if len(frames) >= _HEAD:
                yield _Known(text=text, frames=frames)


def _trimmed(frames: Frames) -> Frames:
    """From the first to the last moment that is not silent."""
    (speaks,) = np.nonzero(frames.max(axis=1, initial=0) > _QUIET)
    if not len(speaks):
        return frames[:0]
    return frames[speaks[0] : speaks[-1] + 1]


def _unit(frames: Frames) -> Frames:
    """The shape of the loudness, whatever the volume, as a vector of length 1."""
    shape = frames - frames.mean()
    length = float(np.linalg.norm(shape)) or 1.0
    unit: Frames = (shape / length).ravel()
    return unit


def _next_begin(speaks: NDArray[np.bool_], at: int) -> int | None:
    """The first moment of speech from `at` on."""
    (later,) = np.nonzero(speaks[at:])
    if not len(later):
        return None
    return at + int(later[0])


def _next_pause(speaks: NDArray[np.bool_], at: int) -> int:
    """The end of the next pause that is long enough."""
    silent = 0
    for place in range(at, len(speaks)):
        silent = 0 if speaks[place] else silent + 1
        if silent >= _PAUSE:
            return place
    return len(speaks)
