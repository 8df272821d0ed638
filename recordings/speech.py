"""Detects speech by loudness; all speech and silence seconds come from here.

Speech is sound that is louder than the steady background around it. Frames of
20 ms count as speech while they are 9 dB louder than the background, which is the quietest tenth of
what sounds within the surrounding half minute, and never below -50 dBFS. Pauses shorter than 300 ms
belong to the speech around them; sounds shorter than 60 ms are clicks.

What it does not know: whether the sound is a voice. Steady noise, hum and a steady tone are
background and do not count, but music on hold, a barking dog, the echo of the other side, or noise
that starts suddenly (for the first ten seconds) do. A voice quieter than 9 dB above its noise is
missed.
"""

import numpy as np
from numpy.typing import NDArray

FRAME_SECONDS = 0.02
Levels = NDArray[np.float32]
Mask = NDArray[np.bool_]

_MARGIN_DB = 9.0
_QUIETEST_SPEECH_DBFS = -50.0
_NOTHING_SENT_DBFS = -65.0  # A-law's idle pattern decodes to -72 dBFS: that is no background noise
_WINDOW = 500  # frames: ten seconds
_FEWEST = 50  # sounding frames in a window below which it tells nothing of the background
_PAUSE = 15  # frames: 300 ms
_CLICK = 3  # frames: 60 ms


def find_speech(levels: Levels) -> Mask:
    """Tell for each 20 ms frame, given its level in dBFS, whether it belongs to speech."""
    if not levels.size:
        return np.zeros(0, dtype=np.bool_)
    threshold = np.maximum(_background(levels) + _MARGIN_DB, _QUIETEST_SPEECH_DBFS)
    loud: Mask = levels > threshold
    heard = _without_shortruns(loud, of=True, shorter_than=_CLICK)
    return _without_shortruns(heard, of=False, shorter_than=_PAUSE)


def longest_run(mask: Mask, *, of: bool) -> int:
    """Count the frames of the longest unbroken run of one value."""
    starts, ends = runs(mask, of=of)
    return int((ends - starts).max(initial=0))


def _background(levels: Levels) -> Levels:
    """Give each frame the level of its steady background, -inf where nothing tells it."""
    windows = np.array(
        [_quietest_tenth(levels[i : i + _WINDOW]) for i in range(0, levels.size, _WINDOW)]
    )
    neighbours = np.pad(windows, 1, constant_values=np.inf)
    around = np.minimum(np.minimum(neighbours[:-2], neighbours[1:-1]), neighbours[2:])
    around[np.isinf(around)] = -np.inf
    return np.repeat(around, _WINDOW)[: levels.size].astype(np.float32)


def _quietest_tenth(window: Levels) -> float:
    sounding = window[window > _NOTHING_SENT_DBFS]
    return float(np.percentile(sounding, 10)) if sounding.size >= _FEWEST else np.inf


def _without_shortruns(mask: Mask, *, of: bool, shorter_than: int) -> Mask:
    """Turn over the short runs of one value; silence at either end is no pause and stays."""
    starts, ends = runs(mask, of=of)
    short = ends - starts < shorter_than
    if not of:
        short &= (starts > 0) & (ends < mask.size)
    flips = np.zeros(mask.size + 1, dtype=np.int8)
    flips[starts[short]] += 1
    flips[ends[short]] -= 1
    return mask ^ (np.cumsum(flips[:-1]) > 0)


def runs(mask: Mask, *, of: bool) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Give first and one-past-last positions of each run of one value."""
    inside = np.concatenate(([0], (mask == of).astype(np.int8), [0]))
    steps = np.diff(inside)
    return np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
