"""Measures a call while it streams by: level, speech, silence and waveform of each side.

The samples themselves are never kept, only two numbers for each 20 ms, so that a three-hour call
needs no more memory than a few megabytes, and the encoder gets each block at the same time.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recordings.recording import SAMPLE_RATE, Side, Span
from recordings.speech import FRAME_SECONDS, Levels, Mask, find_speech, longest_run, runs
from recordings.spool import Samples

MOST_PEAKS = 1000
FULL_SCALE = 32768.0
_FRAME = round(SAMPLE_RATE * FRAME_SECONDS)
_QUIETEST_DBFS = -96.3  # one step of 16 bits: what digital silence is reported as
# of zeros at the end of a side; shorter ones are a phone that stops sending before it hangs up
_HOLE_SECONDS = 2.0
_OVERDRIVEN = 32000
# of the sounding frames' samples; speech at a good level stays well below
_OVERDRIVEN_SHARE = 0.005
_SILENCE_SECONDS = 2.0  # of both sides, kept as a span
_TALK_OVER_SECONDS = 1.0
_MOST_SPANS = 500  # of a kind, the longest


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was measured of a whole call; peaks from 0 to 1, at most 1000 a side."""

    caller: Side
    company: Side
    talk_over_seconds: float
    longest_silence_seconds: float  # of both sides together
    silences: tuple[Span, ...]
    talk_overs: tuple[Span, ...]
    peaks: tuple[tuple[float, ...], tuple[float, ...]]
    clipped: bool


class AudioAnalyzer:
    """Takes both sides block by block, then tells what they held."""

    def __init__(self) -> None:
        self._caller, self._company = _Track(), _Track()

    def add(self, caller: Samples, company: Samples) -> None:
        """Take the next block; each but the last must be a whole number of 20 ms frames long."""
        self._caller.add(caller)
        self._company.add(company)

    def read(self) -> Reading:
        """Sum up all blocks taken so far."""
        caller, company = find_speech(self._caller.levels()), find_speech(self._company.levels())
        silent, talk_over = ~(caller | company), caller & company
        return Reading(
            caller=self._caller.side(caller),
            company=self._company.side(company),
            talk_over_seconds=_seconds(int(np.count_nonzero(talk_over))),
            longest_silence_seconds=_seconds(longest_run(silent, of=True)),
            silences=_spans(silent, _SILENCE_SECONDS),
            talk_overs=_spans(talk_over, _TALK_OVER_SECONDS),
            peaks=(self._caller.peaks(), self._company.peaks()),
            clipped=self._caller.is_clipped() or self._company.is_clipped(),
        )


class _Track:
    """One side's figures for each 20 ms: mean power without the direct current, and highest
    value.
    """

    def __init__(self) -> None:
        self._power: list[NDArray[np.float32]] = []
        self._high: list[NDArray[np.float32]] = []
        self._overdriven = 0

    def add(self, samples: Samples) -> None:
        missing = -samples.size % _FRAME
        frames = np.pad(samples, (0, missing)).reshape(-1, _FRAME).astype(np.float32)
        high = np.maximum(frames.max(axis=1), -frames.min(axis=1))
        loud = frames[high >= _OVERDRIVEN]
        self._overdriven += int(np.count_nonzero(np.abs(loud) >= _OVERDRIVEN))
        power = np.einsum("ij,ij->i", frames, frames) / _FRAME - frames.mean(axis=1) ** 2
        self._power.append(np.maximum(power, 0) / FULL_SCALE**2)
        self._high.append(high / FULL_SCALE)

    def levels(self) -> Levels:
        return _decibels(_joined(self._power))

    def side(self, speech: Mask) -> Side:
        spoken = int(np.count_nonzero(speech))
        power = _joined(self._power)
        mean = power.mean(dtype=np.float64) if power.size else 0.0
        return Side(
            speech_seconds=_seconds(spoken),
            silence_seconds=_seconds(speech.size - spoken),
            longest_silence_seconds=_seconds(longest_run(speech, of=False)),
            rms_dbfs=round(max(float(_decibels(np.array(mean))), _QUIETEST_DBFS), 1),
            ends_at=self._ends_at(),
        )

    def _ends_at(self) -> float | None:
        """Where a hole begins that lasts to the end; None where there is none, or nothing but the
        hole.
        """
        sounding = np.flatnonzero(_joined(self._high))
        if not sounding.size:
            return None
        end = int(sounding[-1]) + 1
        hole = _seconds(_joined(self._high).size - end)
        return _seconds(end) if hole >= _HOLE_SECONDS else None

    def peaks(self) -> tuple[float, ...]:
        high = _joined(self._high)
        count = min(MOST_PEAKS, high.size)
        if not count:
            return ()
        starts = np.arange(count) * high.size // count
        return tuple(np.maximum.reduceat(high, starts).astype(np.float64).round(3).tolist())

    def is_clipped(self) -> bool:
        sounding = int(np.count_nonzero(_joined(self._high)))
        return self._overdriven > _OVERDRIVEN_SHARE * sounding * _FRAME


def _spans(mask: Mask, shortest: float) -> tuple[Span, ...]:
    """The longest runs of a mask, in order."""
    starts, ends = runs(mask, of=True)
    longest = np.argsort(starts - ends, kind="stable")[:_MOST_SPANS]
    return tuple(
        (_seconds(int(starts[i])), _seconds(int(ends[i])))
        for i in sorted(longest.tolist())
        if _seconds(int(ends[i] - starts[i])) >= shortest
    )


def _joined(parts: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)


def _decibels(power: NDArray[np.float32]) -> NDArray[np.float32]:
    return 10 * np.log10(np.maximum(power, np.float32(1e-12)))


def _seconds(frames: int) -> float:
    return round(frames * FRAME_SECONDS, 2)
