"""How the sound of a spool pair lies in time.

Asterisk writes nothing while neither side sends (phones that send no packets in silence), so the
time of such a pause is missing from both files. The agent notes in a third file where the files
stood still and when they grew again; from that the pauses are put back as silence.
"""

import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from recordings.recording import SAMPLE_RATE

LEAST_SECONDS = 0.3  # of a pause that is put back
SAMPLE = 2  # bytes
_FRAME = SAMPLE_RATE // 50
_ROW = struct.Struct("<dQQ")
_MOST_ROWS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """A file that stood still has grown; sizes in bytes."""

    at: float  # seconds since the epoch
    before: int
    after: int

    def row(self) -> bytes:
        """As it is noted."""
        return _ROW.pack(self.at, self.before, self.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """When a call was recorded, in seconds since the epoch."""

    answered_at: float
    ended_at: float
    pauses: tuple[tuple[float, float], ...] = ()  # in which the caller was in no bridge

    def recorded(self, at: float) -> float:
        """How long the call had been recorded at this moment."""
        passed = at - self.answered_at
        for begin, end in self.pauses:
            passed -= max(0.0, min(end, at) - max(begin, self.answered_at))
        return passed


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Silence to put back before a sample; both are whole frames."""

    at: int
    samples: int


def read_growths(path: Path) -> list[Growth]:
    """What the agent noted; empty if there is nothing."""
    content = b""
    with suppress(OSError), path.open("rb") as file:
        content = file.read(_MOST_ROWS * _ROW.size)
    whole = content[: len(content) // _ROW.size * _ROW.size]
    rows = _ROW.iter_unpack(whole)
    return [Growth(at=at, before=before, after=after) for at, before, after in rows]


def gaps(growths: Sequence[Growth], size: int, course: Course) -> Iterator[Gap]:
    """The silence that is missing from files of this size. What a file caught up with later was
    only written late.
    """
    lost = course.recorded(course.ended_at) - size / SAMPLE / SAMPLE_RATE
    lags: list[float] = []
    for growth in reversed(growths):
        written = growth.after / SAMPLE / SAMPLE_RATE
        lost = min(lost, course.recorded(growth.at) - written)
        lags.append(lost)

    put_back = 0.0
    for growth, lag in zip(growths, reversed(lags), strict=True):
        if lag - put_back >= LEAST_SECONDS and growth.before <= size:
            frames = round((lag - put_back) * SAMPLE_RATE / _FRAME)
            at = growth.before // SAMPLE // _FRAME * _FRAME
            yield Gap(at=at, samples=frames * _FRAME)
            put_back = lag
