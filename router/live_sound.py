"""The sound of a call that goes on, read from the two spool files as Asterisk writes them.

Asterisk keeps up to two seconds to itself before it writes. It is not asked for anything: a
listener is no channel, so nothing can be heard of them.
"""

import os
from array import array
from contextlib import suppress
from pathlib import Path

from recordings.spool import SpoolPair

SAMPLE = 2  # bytes
SECOND = 8000 * SAMPLE
MOST = 10 * SECOND  # of one side at once


class LiveSides:
    """Both sides of one call from now on: signed 16-bit samples, caller and company in turn."""

    def __init__(self, pair: SpoolPair) -> None:
        self._paths = (pair.caller, pair.company)
        self._files: list[int] = []
        self._at: int | None = None

    def read(self) -> bytes:
        """What was written since the last time; at first the last second. Empty where there is
        nothing new. Raises OSError.
        """
        if not self._files and not self._open():
            return b""
        size = min(os.fstat(file).st_size for file in self._files)
        size -= size % SAMPLE
        if self._at is None:
            self._at = max(0, size - SECOND)
        length = min(size - self._at, MOST)
        if length <= 0:
            return b""
        sides = [os.pread(file, length, self._at) for file in self._files]
        self._at += length
        return woven(*sides)

    def close(self) -> None:
        """Close the files."""
        for file in self._files:
            os.close(file)
        self._files = []

    def _open(self) -> bool:
        """Open both, if they are there."""
        with suppress(FileNotFoundError):
            for path in self._paths:
                flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
                self._files.append(os.open(path, flags))
            return True
        self.close()
        return False


class SpoolListener:
    """The `LiveSound` of `router.service.calls.listening`."""

    def __init__(self, spool: Path) -> None:
        self._spool = spool

    def open(self, spool_name: str) -> LiveSides:
        """The sides of a call that is being recorded. Raises `InvalidName`."""
        return LiveSides(SpoolPair(directory=self._spool, name=spool_name))


def woven(caller: bytes, company: bytes) -> bytes:
    """Samples of two sides in turn, as many as both have."""
    length = min(len(caller), len(company)) // SAMPLE
    mixed = array("h", bytes(2 * SAMPLE * length))
    mixed[0::2] = array("h", caller[: length * SAMPLE])
    mixed[1::2] = array("h", company[: length * SAMPLE])
    return mixed.tobytes()
