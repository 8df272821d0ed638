"""Reads Asterisk's journal: rows as cel_custom.conf lays them out, from where the cursor stands.

cel_custom opens the file for each row, so it is rotated by renaming; the cursor names the file by device, inode and
the time of its first row, and the reader follows it through renames to the next file. A row begins with a quoted
event and a time, and a caller cannot forge that beginning, because every quote inside a field is doubled. What
cannot be read is set aside with its reason and never stops the rest.
"""

import csv
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from router.domain.ledger import Row
from router.service.ports import Cursor, RejectedRow

CHUNK = 256 * 1024  # bytes read at once
LONGEST_ROW = 64 * 1024
COLUMNS = 11
_HEAD = 200  # bytes; a row begins in fewer
_PACKED = {".gz", ".xz", ".bz2", ".zst"}  # read before it was packed, or lost to us

_BEGINNING = rb'"[A-Za-z0-9_.-]{1,80}","[0-9]{1,12}\.[0-9]{6}",'  # a dialplan of your own may write events too
_START = re.compile(_BEGINNING)
_NEXT = re.compile(rb"\n(?=" + _BEGINNING + rb")")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What was read: rows in the order of the journal, and where to go on."""

    rows: list[Row]
    rejected: list[RejectedRow]
    cursor: Cursor
    more: bool  # there is more to read now


class UnreadableRow(ValueError):
    """A row that does not follow cel_custom.conf."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """One file of the journal: where it lies now, which one it is, and the time of its first row."""

    path: Path
    identity: str
    began: str


class Journal:
    """The journal at `path` and its renamed predecessors beside it (`journal.csv.1`, `journal.csv-20260131`, …)."""

    def __init__(self, path: Path, chunk: int = CHUNK) -> None:
        self.path = path
        self.chunk = chunk

    def read(self, cursor: Cursor | None) -> Batch | None:
        """The next rows after `cursor` (None: from the oldest row there is); None when there is nothing new."""
        file = self._find(cursor)
        if file is None:
            return None
        offset = cursor.offset if cursor and file.began == _began(cursor) else 0
        try:
            stream = file.path.open("rb")
        except FileNotFoundError:
            return None  # renamed this very moment: the next look finds it again
        with stream:
            if _identify(stream) != (file.identity, file.began):
                return None  # likewise
            if stream.seek(0, os.SEEK_END) < offset:
                offset = 0  # cut short by somebody: rather read again what is known than miss what is not
            data, whole, more = self._take(stream, offset)
        successor = None if more else self._after(file)
        if successor is not None:  # nobody writes here any more: a half row stays half
            whole, more, cursor = len(data), True, Cursor(file=successor.identity, offset=0)
        elif whole:
            cursor = Cursor(file=file.identity, offset=offset + whole)
        else:
            return None
        rows, rejected = _parse(data[:whole], file.identity, offset)
        return Batch(rows=rows, rejected=rejected, cursor=cursor, more=more)

    def _take(self, stream: BinaryIO, offset: int) -> tuple[bytes, int, bool]:
        """Bytes from `offset`, how many of them are whole rows, and whether there is more behind them."""
        stream.seek(offset)
        data = stream.read(self.chunk)
        whole = _whole_part(data)
        if not whole and len(data) == self.chunk:  # a row longer than that
            data += stream.read(LONGEST_ROW)
            whole = _whole_part(data)
        if not whole and len(data) > LONGEST_ROW:  # no end in sight: not a row, set aside
            whole = data.rfind(b"\n") + 1 or len(data)
        return data, whole, bool(stream.read(1))

    def _files(self) -> list[_File]:
        """The journal's files with at least one row, the oldest first."""
        paths = (path for path in self.path.parent.glob(f"{self.path.name}*") if path.suffix not in _PACKED)
        found = [file for path in paths if (file := _look(path))]
        return sorted(found, key=lambda file: (file.began, file.path == self.path, file.path.name))

    def _find(self, cursor: Cursor | None) -> _File | None:
        if cursor is None:
            return next(iter(self._files()), None)
        current = _look(self.path)
        if current and current.identity == cursor.file:
            return current
        files, began = self._files(), _began(cursor)
        same = (file for file in files if file.identity == cursor.file)
        # copied or restored, or a disk with another number: the same journal begins with the same row
        copied = (file for file in files if file.began == began)
        later = (file for file in files if file.began > began)
        return next(same, None) or next(copied, None) or next(later, None)

    def _after(self, file: _File) -> _File | None:
        if file.path == self.path:
            return None
        files = self._files()
        position = files.index(file) + 1 if file in files else len(files)
        return files[position] if position < len(files) else None


def _began(cursor: Cursor) -> str:
    """The time of the first row of the cursor's file."""
    return cursor.file.rpartition("@")[2]


def _look(path: Path) -> _File | None:
    """The file at `path`, if it is one and has a row."""
    try:
        with path.open("rb") as stream:
            identity, began = _identify(stream)
    except (FileNotFoundError, IsADirectoryError):
        return None
    return _File(path=path, identity=identity, began=began) if began else None


def _identify(stream: BinaryIO) -> tuple[str, str]:
    """Which file this is, and the time of its first row as text of equal length, '' when it has none yet."""
    stat, head = os.fstat(stream.fileno()), stream.read(_HEAD)
    rubbish = b"\n" in head or len(head) == _HEAD
    began = head.split(b'"')[3].decode() if _START.match(head) else "0" if rubbish else ""
    began = began and began.rjust(20, "0")
    return f"{stat.st_dev}:{stat.st_ino}@{began}", began


def _whole_part(data: bytes) -> int:
    """How many bytes of `data` are whole rows.

    A line feed may stand inside a quoted name, so the last row is whole only if its quotes are even.
    """
    end = data.rfind(b"\n") + 1
    if end == 0:
        return 0
    starts = [match.start() + 1 for match in _NEXT.finditer(data, max(0, end - LONGEST_ROW), end)]
    last = starts[-1] if starts else 0
    if data.count(b'"', last, end) % 2:
        return last
    return end


def _parse(data: bytes, name: str, offset: int) -> tuple[list[Row], list[RejectedRow]]:
    rows: list[Row] = []
    rejected: list[RejectedRow] = []
    for start, record in _records(data):
        try:
            rows.append(parse_row(record.decode("utf-8", "replace")))
        except UnreadableRow as error:
            text = record[:2000].decode("utf-8", "replace").replace("\0", "\ufffd")
            rejected.append(
                RejectedRow(file=name, offset=offset + start, text=text, reason=str(error), at=datetime.now(UTC))
            )
    return rows, rejected


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    start = 0
    for record in _NEXT.split(data):
        end = _row_end(record)
        for at, part in ((start, record[:end]), (start + end, record[end:])):
            if part.strip():
                yield at, part.rstrip(b"\r\n")
        start += len(record) + 1


def _row_end(record: bytes) -> int:
    """Where the row itself ends: at its first line feed outside of quotes. What follows is no row of ours."""
    quotes, start = 0, 0
    while (end := record.find(b"\n", start) + 1) > 0:
        quotes += record.count(b'"', start, end)
        if quotes % 2 == 0:
            return end
        start = end
    return len(record)


def parse_row(text: str) -> Row:
    """One row. Raises `UnreadableRow` with the reason."""
    try:
        fields = next(csv.reader((text.replace("\0", "\ufffd"),), strict=True))
    except (csv.Error, StopIteration) as error:
        raise UnreadableRow(f"not CSV: {error}") from error
    if len(fields) != COLUMNS:
        raise UnreadableRow(f"{len(fields)} columns instead of {COLUMNS}")
    event, time, uniqueid, linkedid, channel, number, name, extension, context, _user, extra = fields
    if not (_ID.fullmatch(uniqueid) and _ID.fullmatch(linkedid)):
        raise UnreadableRow(f"'{uniqueid[:70]}' or '{linkedid[:70]}' is not a uniqueid")
    return Row(
        event=event,
        at=_moment(time),
        uniqueid=uniqueid,
        linkedid=linkedid,
        channel=channel,
        caller_number=number,
        caller_name=name,
        extension=extension,
        context=context,
        extra=_extra(extra),
    )


def _moment(text: str) -> datetime:
    seconds, dot, micros = text.partition(".")
    ours = text.isascii() and seconds.isdigit() and micros.isdigit()
    if not (dot and ours and len(seconds) < 12 and len(micros) == 6):
        raise UnreadableRow(f"'{text[:30]}' is not a time")
    return datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int(micros))


def _extra(text: str) -> dict[str, Any]:
    if not text:
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableRow(f"extra is not JSON: {error}"[:200]) from error
    if not isinstance(value, dict):
        raise UnreadableRow("extra is not a JSON object")
    return {_clean(name): _clean(v) if isinstance(v, str) else v for name, v in value.items() if _is_plain(v)}


def _is_plain(value: Any) -> bool:
    """Asterisk writes names with texts and numbers, nothing deeper."""
    return isinstance(value, str) or (isinstance(value, int) and abs(value) < 2**53)


def _clean(text: str) -> str:
    """JSON can spell characters that no database keeps: NUL and halves of a letter."""
    return _SURROGATE.sub("\ufffd", text.replace("\0", "\ufffd"))


def rotate(path: Path) -> Path | None:
    """Rename the journal out of Asterisk's way, e.g. when it has grown; the reader follows."""
    if not path.exists():
        return None
    aside = path.with_name(f"{path.name}.{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
    os.rename(path, aside)
    return aside
