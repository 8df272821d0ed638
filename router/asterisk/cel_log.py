"""Reads Asterisk's CEL log from the cursor. The cursor identifies the file by its first row and
lists the files read before (see `log_files`), so the reader follows renames, copies and
compression.
"""

import os
import re
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from router.asterisk.cel_rows import LONGEST_ROW, parse_rows, whole_part
from router.asterisk.log_files import (
    LogFile,
    PackedFile,
    find,
    head_of,
    identify,
    list_files,
    look,
    read_to_the_end,
    remembered,
    remove_oldest,
    rotate,
)
from router.domain.calls.ledger import Row
from router.service.calls.ports import Cursor, RejectedRow

CHUNK = 256 * 1024  # bytes read at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Rows in the order of the log, and the next cursor."""

    rows: list[Row]
    rejected: list[RejectedRow]
    cursor: Cursor
    more: bool  # there is more to read now


class CelLog:
    """The CEL log at `path`, and the files into which it was renamed, copied or compressed."""

    def __init__(self, path: Path, chunk: int = CHUNK) -> None:
        self.path = path
        self.chunk = chunk
        # reading from the beginning each time would be too slow
        self._unpacking: tuple[LogFile, PackedFile] | None = None

    def read(self, cursor: Cursor | None) -> Batch | None:
        """The next rows after `cursor` (None: from the oldest row); None without new rows."""
        live = look(self.path, live=True)
        if live and cursor and live.identity == cursor.file:
            files = [live]
        else:
            files = list_files(self.path)

        finished = read_to_the_end(files, cursor, self.path)
        file, offset = self._place(files, cursor, finished)
        if file is None:
            return None
        part = self._read(file, offset)
        if part is None:
            return None  # renamed at this moment: the next read finds it again
        data, whole, more = part.data, part.whole, part.more
        rejected = []
        if part.damage:
            rejected.append(_damaged(file, part))

        successor = None
        if not more:
            successor = self._after(file, finished)

        if successor is not None:  # no longer written: an incomplete row stays incomplete
            read = remembered([*finished, file.digest], list_files(self.path))
            whole, more, cursor = (
                len(data),
                True,
                Cursor(file=successor.identity, offset=0, finished=read),
            )
        elif whole or not cursor or cursor.file != file.identity:
            end = part.offset + whole
            cursor = Cursor(file=file.identity, offset=end, finished=tuple(finished))
        else:
            return None
        rows, unreadable = parse_rows(data[:whole], file.identity, part.offset)
        return Batch(rows=rows, rejected=[*unreadable, *rejected], cursor=cursor, more=more)

    def search(self, linkedids: Collection[str], cursor: Cursor | None) -> Iterator[list[Row]]:
        """The rows of these calls before `cursor`, from the oldest remaining file; a list for each
        part.
        """
        wanted = re.compile(b"|".join(re.escape(linkedid.encode()) for linkedid in linkedids))
        files = list_files(self.path)
        here = find(files, cursor)
        finished = read_to_the_end(files, cursor, self.path)
        for file in files:
            if cursor and file is here:
                parts = self._parts(file, until=cursor.offset)
            elif file.digest in finished:
                parts = self._parts(file, until=sys.maxsize)
            else:
                continue
            for offset, data in parts:
                found = []
                if wanted.search(data):
                    rows = parse_rows(data, file.identity, offset)[0]
                    found = [row for row in rows if row.linkedid in linkedids]

                yield found

    def _parts(self, file: LogFile, *, until: int) -> Iterator[tuple[int, bytes]]:
        """The whole rows of a file before this offset, in parts: where each begins, and its
        bytes.
        """
        offset = 0
        while offset < until:
            part = self._read(file, offset)
            if part is None or not part.whole:
                return
            yield offset, part.data[: min(part.whole, until - offset)]
            offset += part.whole

    def oldest_unread(self, cursor: Cursor | None) -> datetime | None:
        """The time of the first unread row; None if all were read."""
        batch = self.read(cursor)
        while batch and not batch.rows:
            batch = self.read(batch.cursor)
        if not batch:
            return None
        return batch.rows[0].at

    def rotate(self, cursor: Cursor | None, largest: int, keep: int) -> Path | None:
        """Rotate the log if it is large and completely read; keep `keep` older files."""
        if cursor is None or cursor.offset < largest:
            return None
        live = look(self.path, live=True)
        if (
            live is None
            or live.identity != cursor.file
            or self.path.stat().st_size != cursor.offset
        ):
            return None
        aside = rotate(self.path)
        remove_oldest(self.path, cursor.finished, keep)
        return aside

    def _place(
        self, files: list[LogFile], cursor: Cursor | None, finished: list[str]
    ) -> tuple[LogFile | None, int]:
        """Where to continue: the cursor's file, or if it is gone, the oldest unread file."""
        here = find(files, cursor)
        if here and cursor:
            return here, cursor.offset
        if cursor:
            finished.append(cursor.file.rpartition("@")[2])
        return next((file for file in files if file.digest not in finished), None), 0

    def _after(self, file: LogFile, finished: list[str]) -> LogFile | None:
        if file.path == self.path:
            return None
        return next(
            (
                other
                for other in list_files(self.path)
                if other.digest not in {*finished, file.digest}
            ),
            None,
        )

    def _read(self, file: LogFile, offset: int) -> "_Part | None":
        """The bytes of `file` from `offset`; None if it is gone."""
        if file.packed:
            stream = self._unpacked(file)
            if not stream:
                return None
            return _take(stream, offset, self.chunk)
        try:
            with file.path.open("rb") as plain:
                stat = os.fstat(plain.fileno())
                if identify(file.path, stat, head_of(plain), live=file.path == self.path) != file:
                    return None
                if stat.st_size < offset:
                    # truncated: reading rows again is better than missing some
                    offset = 0
                return _take(plain, offset, self.chunk)
        except FileNotFoundError:
            return None

    def _unpacked(self, file: LogFile) -> PackedFile | None:
        if self._unpacking and self._unpacking[0] == file:
            return self._unpacking[1]
        if self._unpacking:
            self._unpacking[1].close()
            self._unpacking = None
        try:
            self._unpacking = file, PackedFile(file.path)
        except FileNotFoundError:
            return None
        return self._unpacking[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Bytes from `offset`, how many of them are complete rows, and whether more follow."""

    offset: int
    data: bytes
    whole: int
    more: bool
    damage: str = ""


def _take(stream: BinaryIO | PackedFile, offset: int, chunk: int) -> _Part:
    stream.seek(offset)
    data = stream.read(chunk)
    whole = whole_part(data)
    if not whole and len(data) == chunk:  # a row longer than that
        data += stream.read(LONGEST_ROW)
        whole = whole_part(data)
    if not whole and len(data) > LONGEST_ROW:  # no end: not a row, rejected
        whole = data.rfind(b"\n") + 1 or len(data)
    more = bool(stream.read(1))
    return _Part(
        offset=offset, data=data, whole=whole, more=more, damage=getattr(stream, "damage", "")
    )


def _damaged(file: LogFile, part: _Part) -> RejectedRow:
    reason = f"{file.path.name} cannot be decompressed any further: {part.damage}"[:300]
    place = part.offset + len(part.data)
    return RejectedRow(
        file=file.identity, offset=place, text="", reason=reason, at=datetime.now(UTC)
    )
