"""The files of a CEL log: the one Asterisk writes, and those it was renamed, copied or compressed
into. A file is identified by its first row, which does not change by renaming, copying
(`copytruncate`) or compressing; no clock is used. The cursor lists the files that were read
completely, so each file is read once.
"""

import bz2
import gzip
import hashlib
import lzma
import os
import re
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from router.service.calls.ports import Cursor

# A quoted event and the time; a dialplan of your own may write events too.
BEGINNING = rb'"[A-Za-z0-9_.-]{1,80}","[0-9]{1,12}\.[0-9]{6}",'
_START = re.compile(BEGINNING)
_HEAD = 4096  # bytes; the beginning of a longer first row is enough
_UNPACKERS: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_UNREADABLE = {".zst", ".lz4", ".Z", ".zip"}  # compression that Python does not support
_DAMAGE = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, OSError)
_OURS = ".old-"  # and a counter: names by date would be out of order after a clock change
_LAST_READ = 64  # remembered files that are not seen, e.g. during a rename


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFile:
    """One file of the log: path and identity."""

    path: Path
    place: str  # device and inode
    digest: str  # of its first row
    began: str  # time of its first row, used by cursors of older versions
    packed: bool

    @property
    def identity(self) -> str:
        """Its identity in a cursor."""
        return f"{self.place}@{self.digest}"


class PackedFile:
    """A compressed file; ends where it is damaged."""

    def __init__(self, path: Path) -> None:
        self._stream = _UNPACKERS[path.suffix](path, "rb")
        self.damage = ""

    def seek(self, offset: int) -> None:
        """Seek in the decompressed data."""
        try:
            self._stream.seek(offset)
        except _DAMAGE as error:
            self.damage = str(error)

    def read(self, most: int) -> bytes:
        """The next bytes; fewer only at the end."""
        data = b""
        try:
            while len(data) < most and (part := self._stream.read1(most - len(data))):
                data += part
        except _DAMAGE as error:
            self.damage = str(error)
        return data

    def close(self) -> None:
        """Close it."""
        self._stream.close()


def list_files(live: Path) -> list[LogFile]:
    """The log's files with at least one row, oldest first; of copies the best to read."""
    found: dict[str, LogFile] = {}
    for path in live.parent.glob(f"{live.name}*"):
        file = None
        if path.suffix not in _UNREADABLE:
            file = look(path, live=path == live)

        known = None
        if file:
            known = found.get(file.digest)

        if file and (known is None or _preference(file, live) < _preference(known, live)):
            found[file.digest] = file
    return sorted(found.values(), key=lambda file: _age(file.path, live))


def look(path: Path, *, live: bool) -> LogFile | None:
    """The file at `path`, if it is one and has a row."""
    packed = path.suffix in _UNPACKERS
    try:
        with path.open("rb") as stream:
            stat = os.fstat(stream.fileno())
            head = b""
            if not packed:
                head = stream.read(_HEAD)
    except (FileNotFoundError, IsADirectoryError):
        return None
    if packed:
        unpacked = PackedFile(path)
        head = unpacked.read(_HEAD)
        unpacked.close()
    return identify(path, stat, head, live=live)


def identify(path: Path, stat: os.stat_result, head: bytes, *, live: bool) -> LogFile | None:
    """The identity of a file that begins with `head`; None while its first row is incomplete."""
    first, ended, _ = head.partition(b"\n")
    if not head or (live and not ended and len(head) < _HEAD):
        return None
    place = f"{stat.st_dev}:{stat.st_ino}"
    if _START.match(first):
        known_by, began = first, first.split(b'"')[3].decode()
    else:  # rubbish may begin many files
        known_by, began = first + place.encode(), "0"

    return LogFile(
        path=path,
        place=place,
        digest=hashlib.blake2b(known_by, digest_size=8).hexdigest(),
        began=began.rjust(20, "0"),
        packed=path.suffix in _UNPACKERS,
    )


def head_of(stream: BinaryIO) -> bytes:
    """The beginning of a file for `identify`."""
    stream.seek(0)
    return stream.read(_HEAD)


def _preference(file: LogFile, live: Path) -> tuple[bool, bool]:
    return file.path != live, file.packed


def _age(path: Path, live: Path) -> tuple[bool, int, int, float, str]:
    """Sort key, oldest first: numbers in the names if there are some, otherwise modification
    time.
    """
    rest = path.name.removeprefix(live.name)
    numbered = _number_of(r"\.(\d{1,5})(\.|$)", rest)  # logrotate: the greatest is the oldest
    ours = _number_of(rf"{re.escape(_OURS)}(\d+)", rest)  # the greatest is the youngest
    try:
        written = path.stat().st_mtime
    except FileNotFoundError:
        written = 0.0
    return path == live, -numbered, ours, written, path.name


def _number_of(pattern: str, rest: str) -> int:
    found = re.match(pattern, rest)
    if not found:
        return 0
    return int(found[1])


def find(files: list[LogFile], cursor: Cursor | None) -> LogFile | None:
    """The file that the cursor is in, wherever it is now."""
    if cursor is None:
        return None
    place, _, mark = cursor.file.rpartition("@")
    mine = [file for file in files if mark in {file.digest, file.began}]
    return next((file for file in mine if file.place == place), next(iter(mine), None))


def read_to_the_end(files: list[LogFile], cursor: Cursor | None, live: Path) -> list[str]:
    """Digests of the files that were read completely before the cursor's file."""
    if cursor is None:
        return []
    mark = cursor.file.rpartition("@")[2]
    if len(mark) != 20:
        return list(cursor.finished)
    # A cursor of an older version, which knew files by the time of their first row and kept no
    # list.
    here = find(files, cursor)
    if here:
        before = files[: files.index(here)]
    else:
        before = [f for f in files if f.began <= mark and f.path != live]

    return [file.digest for file in before]


def remembered(finished: list[str], files: Collection[LogFile]) -> tuple[str, ...]:
    """Digests to remember: of present files, and the latest missing ones."""
    present = {file.digest for file in files}
    last = set(finished[-_LAST_READ:])
    return tuple(
        digest for digest in dict.fromkeys(finished) if digest in present or digest in last
    )


def rotate(live: Path) -> Path | None:
    """Rename the log; Asterisk opens the file for each row, and the reader follows."""
    if not live.exists():
        return None
    taken = [_age(path, live)[2] for path in live.parent.glob(f"{live.name}{_OURS}*")]
    aside = live.with_name(f"{live.name}{_OURS}{max(taken, default=0) + 1:06}")
    os.rename(live, aside)
    return aside


def remove_oldest(live: Path, finished: Collection[str], keep: int) -> list[Path]:
    """Remove the oldest completely read files of `rotate`, except the last `keep`."""
    mine = []
    for file in list_files(live):
        if _age(file.path, live)[2] and file.digest in finished:
            mine.append(file)

    old = [file.path for file in mine[: max(0, len(mine) - keep)]]
    for path in old:
        path.unlink(missing_ok=True)
    return old
