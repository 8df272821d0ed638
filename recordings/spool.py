"""The spool pair: what Asterisk's MixMonitor left of one call, and all that may be done to those
two files.

Each side is a headerless file of signed 16-bit little-endian samples, 8000 a second, aligned with
the other. Anything may have happened to them (machine killed in mid-write, a side that never sent a
packet, disk full), and nothing in them can be trusted to be audio, so they are read as plain
numbers and never interpreted.
"""

import fcntl
import os
import re
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from recordings.errors import (
    InvalidName,
    NoSound,
    NotAFile,
    OtherFormat,
    SpoolBusy,
    SpoolMissing,
    SpoolUnreadable,
    StillGrowing,
)
from recordings.growth import Gap
from recordings.recording import SAMPLE_RATE, AudioWarning

Samples = NDArray[np.int16]

BLOCK_SECONDS = 10
_BLOCK = BLOCK_SECONDS * SAMPLE_RATE
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}", re.ASCII)
_SIGNATURES = {
    b"RIFF": "WAV",
    b"OggS": "Ogg",
    b"ID3\x03": "MP3",
    b"ID3\x04": "MP3",
    b"fLaC": "FLAC",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolPair:
    """The two files of one call in the spool directory; either may be missing. InvalidName for a
    bad name.
    """

    directory: Path
    name: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InvalidName

    @property
    def caller(self) -> Path:
        """Where Asterisk writes what the caller says."""
        return self.directory / f"{self.name}-caller.sln"

    @property
    def company(self) -> Path:
        """Where Asterisk writes what the company says."""
        return self.directory / f"{self.name}-company.sln"

    @property
    def growth(self) -> Path:
        """Where the agent notes when they grow."""
        return self.directory / "growth" / self.name

    def files(self) -> tuple[Path, ...]:
        """The files that exist, the caller's first."""
        return tuple(path for path in (self.caller, self.company) if os.path.lexists(path))


def is_settled(pair: SpoolPair, *, quiet_seconds: float, now: float) -> bool:
    """Whether nothing was written for `quiet_seconds` before `now` (seconds since the epoch).

    A missing pair is settled: waiting would not bring it. This alone does not prove a call's end,
    since a call on hold may write nothing for minutes: ask only after the CEL log's LINKEDID_END.
    Files of the future were written before the clock was set back.
    """
    with suppress(FileNotFoundError):
        return all(abs(now - path.lstat().st_mtime) >= quiet_seconds for path in pair.files())
    return False


def discard(pair: SpoolPair) -> None:
    """Remove the files that exist, e.g. of an unanswered call."""
    for path in (pair.caller, pair.company, pair.growth):
        with _told(path):
            path.unlink(missing_ok=True)


def keep_aside(pair: SpoolPair, reason: str) -> Path:
    """Move the pair to `<spool>/broken` with its reason beside it, and return that directory."""
    broken = pair.directory / "broken"
    with _told(broken):
        broken.mkdir(exist_ok=True)
        with suppress(OSError):  # a full disk must not keep the files from being moved
            (broken / f"{pair.name}.reason.txt").write_text(reason + "\n", encoding="utf-8")
        for path in pair.files():
            path.replace(broken / path.name)
        pair.growth.unlink(missing_ok=True)
    return broken


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPair:
    """A pair opened for reading, alone: its length is fixed at the opening, whatever is appended
    later.
    """

    pair: SpoolPair
    sides: tuple[BinaryIO | None, BinaryIO | None]
    sizes: tuple[int, int]
    gaps: tuple[Gap, ...] = ()  # silence to put back, in order

    @property
    def samples(self) -> int:
        """Samples of the longer side; half a sample at an end does not count."""
        return max(self.sizes) // 2

    @property
    def seconds(self) -> float:
        """Length of the longer side, with the silence that is put back."""
        return (self.samples + sum(gap.samples for gap in self.gaps)) / SAMPLE_RATE

    def warnings(self) -> Iterator[AudioWarning]:
        """Warnings about the files themselves."""
        caller, company = self.sizes
        if not caller:
            yield AudioWarning.CALLER_MISSING
        if not company:
            yield AudioWarning.COMPANY_MISSING
        if caller % 2 or company % 2:
            yield AudioWarning.CUT_SAMPLE
        if caller and company and abs(caller - company) > 2 * SAMPLE_RATE:
            yield AudioWarning.SIDES_DIFFER

    def blocks(self) -> Iterator[tuple[Samples, Samples]]:
        """Yield both sides at most ten seconds at a time, equally long, the shorter one padded with
        silence.
        """
        at = 0
        for gap in self.gaps:
            yield from self._between(at, gap.at)
            at = gap.at
            for start in range(0, gap.samples, _BLOCK):
                silence = np.zeros(min(_BLOCK, gap.samples - start), dtype="<i2")
                yield silence, silence
        yield from self._between(at, self.samples)

    def _between(self, begin: int, end: int) -> Iterator[tuple[Samples, Samples]]:
        caller, company = self.sides
        for start in range(begin, end, _BLOCK):
            count = min(_BLOCK, end - start)
            yield (
                _samples(caller, start, count, self.sizes[0]),
                _samples(company, start, count, self.sizes[1]),
            )

    def check_unchanged(self) -> None:
        """Raise StillGrowing if a file was written to, replaced, or appeared since the opening."""
        paths = (self.pair.caller, self.pair.company)
        for path, side, size in zip(paths, self.sides, self.sizes, strict=True):
            there = os.path.lexists(path)
            if there != (side is not None) or (there and path.stat().st_size != size):
                raise StillGrowing


@contextmanager
def opened(pair: SpoolPair) -> Iterator[OpenPair]:
    """Open a pair for this process alone; the kernel lets go of it if the process is killed.

    Raises SpoolMissing, NoSound, SpoolBusy, SpoolUnreadable, or BrokenSpool where the files cannot
    be raw audio.
    """
    with ExitStack() as stack:
        caller, company = _open(pair.caller, stack), _open(pair.company, stack)
        if caller is None and company is None:
            raise SpoolMissing
        audio = OpenPair(pair=pair, sides=(caller, company), sizes=(_size(caller), _size(company)))
        if not audio.samples:
            raise NoSound
        yield audio


@contextmanager
def _told(path: Path | str) -> Iterator[None]:
    """Raise our own errors for the system's."""
    try:
        yield
    except OSError as error:
        detail = f"{path}: {error.strerror}"
        raise SpoolUnreadable(f"{SpoolUnreadable()} ({detail})", detail=detail) from error


def _open(path: Path, stack: ExitStack) -> BinaryIO | None:
    """Open and lock one side; neither a symbolic link nor a pipe is followed. None if it is not
    there.
    """
    with _told(path):
        if not os.path.lexists(path):
            return None
        if not stat.S_ISREG(path.lstat().st_mode):
            raise NotAFile(f"{path.name} is not a plain file", file=path.name)
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        file = stack.enter_context(os.fdopen(descriptor, "rb"))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SpoolBusy from error
        if not os.fstat(descriptor).st_nlink:  # the worker that held it has just finished it
            raise SpoolBusy
        if kind := _SIGNATURES.get(file.peek(4)[:4]):
            raise OtherFormat(
                f"{path.name} is a {kind} file, not raw 8 kHz samples", file=path.name, format=kind
            )
    return file


def _size(side: BinaryIO | None) -> int:
    return os.fstat(side.fileno()).st_size if side else 0


def _samples(side: BinaryIO | None, start: int, count: int, size: int) -> Samples:
    """Read `count` samples from `start`, silence where the file has none (any more)."""
    out = np.zeros(count, dtype="<i2")
    available = min(count, max(0, size // 2 - start))
    if side is None or not available:
        return out
    with _told(side.name):
        side.seek(2 * start)
        got = np.frombuffer(side.read(2 * available), dtype=np.uint8)
    out.view(np.uint8)[: got.size] = got
    return out
