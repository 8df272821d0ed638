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
from typing import Any

from router.domain.ledger import Row
from router.service.ports import Cursor, RejectedRow

CHUNK = 256 * 1024  # bytes read at once
LONGEST_ROW = 64 * 1024
COLUMNS = 11

_START = re.compile(rb'"[A-Z_]+","\d{1,12}\.\d{6}",')
_NEXT = re.compile(rb'\n(?="[A-Z_]+","\d{1,12}\.\d{6}",)')
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


class Journal:
    """The journal at `path` and its renamed predecessors beside it (`journal.csv.1`, `journal.csv-20260131`, …)."""

    def __init__(self, path: Path, chunk: int = CHUNK) -> None:
        self.path = path
        self.chunk = chunk

    def read(self, cursor: Cursor | None) -> Batch | None:
        """The next rows after `cursor` (None: from the oldest row there is); None when there is nothing new."""
        here = self._find(cursor)
        if here is None:
            return None
        file, offset = here, cursor.offset if cursor and cursor.file == self._identity(here) else 0
        with file.open("rb") as stream:
            stream.seek(offset)
            data = stream.read(self.chunk)
        whole = _whole_part(data)
        if not whole and len(data) > LONGEST_ROW:
            whole = len(data)  # no end in sight: not a row, set aside below
        successor = None if len(data) == self.chunk else self._after(file)
        if not whole and successor is None:
            return None
        if successor is not None:
            whole = len(data)  # nobody writes here any more: a half row stays half
        name = self._identity(file)
        rows, rejected = _parse(data[:whole], name, offset)
        if successor is not None:
            return Batch(
                rows=rows, rejected=rejected, cursor=Cursor(file=self._identity(successor), offset=0), more=True
            )
        return Batch(
            rows=rows,
            rejected=rejected,
            cursor=Cursor(file=name, offset=offset + whole),
            more=len(data) == self.chunk,
        )

    def _files(self) -> list[Path]:
        """The journal's files with at least one row, the oldest first."""
        found = [path for path in self.path.parent.glob(f"{self.path.name}*") if path.is_file()]
        return sorted((p for p in found if _first_time(p)), key=lambda p: (_first_time(p), p == self.path, p.name))

    def _find(self, cursor: Cursor | None) -> Path | None:
        if cursor is not None and self.path.exists() and self._identity(self.path) == cursor.file:
            return self.path
        files = self._files()
        for path in files if cursor else ():
            if cursor and self._identity(path) == cursor.file:
                return path
        if cursor is None:
            return files[0] if files else None
        began = cursor.file.rpartition("@")[2]
        return next((path for path in files if _first_time(path) > began), None)

    def _after(self, file: Path) -> Path | None:
        if file == self.path:
            return None
        files = self._files()
        position = files.index(file) + 1 if file in files else len(files)
        return files[position] if position < len(files) else None

    def _identity(self, path: Path) -> str:
        stat = path.stat()
        return f"{stat.st_dev}:{stat.st_ino}@{_first_time(path)}"


def _first_time(path: Path) -> str:
    """The time of a file's first row as text of equal length, '' when it has none yet."""
    try:
        with path.open("rb") as stream:
            head = stream.read(100)
    except OSError:
        return ""
    match = _START.match(head)
    return head.split(b'"')[3].decode().rjust(20, "0") if match else ("0" * 20 if b"\n" in head else "")


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
        if record.strip():
            yield start, record.rstrip(b"\r\n")
        start += len(record) + 1


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
    if not (dot and seconds.isdigit() and len(seconds) < 12 and micros.isdigit() and len(micros) == 6):
        raise UnreadableRow(f"'{text[:30]}' is not a time")
    return datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int(micros))


def _extra(text: str) -> dict[str, Any]:
    if not text:
        return {}
    try:
        value = json.loads(text)
    except ValueError as error:
        raise UnreadableRow(f"extra is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise UnreadableRow("extra is not a JSON object")
    return value


def rotate(path: Path) -> Path | None:
    """Rename the journal out of Asterisk's way, e.g. when it has grown; the reader follows."""
    if not path.exists():
        return None
    aside = path.with_name(f"{path.name}.{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
    os.rename(path, aside)
    return aside
