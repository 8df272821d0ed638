"""Parses rows of the CEL log as cel_custom.conf lays them out.

A row begins with a quoted event and a time. A caller cannot forge that beginning, because every
quote inside a field is doubled. An unreadable row is stored with its reason and does not stop the
rest.
"""

import csv
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from router.asterisk.log_files import BEGINNING
from router.domain.calls.ledger import Row
from router.domain.text import storable
from router.service.calls.ports import RejectedRow

LONGEST_ROW = 64 * 1024
COLUMNS = 11
_NEXT = re.compile(rb"\n(?=" + BEGINNING + rb")")
_START = re.compile(BEGINNING)
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class UnreadableRow(ValueError):
    """A row that does not follow cel_custom.conf."""


def whole_part(data: bytes) -> int:
    """How many bytes of `data` are complete rows. A quoted name may contain a line feed, so the
    last row is complete only if its quotes are even.
    """
    end = data.rfind(b"\n") + 1
    if end == 0:
        return 0
    starts = [match.start() + 1 for match in _NEXT.finditer(data, max(0, end - LONGEST_ROW), end)]
    last = 0
    if starts:
        last = starts[-1]

    if data.count(b'"', last, end) % 2:
        return last
    return end


def parse_rows(data: bytes, name: str, offset: int) -> tuple[list[Row], list[RejectedRow]]:
    """The rows in `data`, and those that cannot be read."""
    rows: list[Row] = []
    rejected: list[RejectedRow] = []
    for start, record in _records(data):
        try:
            rows.append(parse_row(record.decode("utf-8", "replace")))
        except UnreadableRow as error:
            torn, whole = _torn(record)
            if whole is not None:
                rows.append(whole)
            text = storable(torn[:2000].decode("utf-8", "replace"))
            rejected.append(
                RejectedRow(
                    file=name,
                    offset=offset + start,
                    text=text,
                    reason=str(error),
                    at=datetime.now(UTC),
                )
            )
    return rows, rejected


def _torn(record: bytes) -> tuple[bytes, Row | None]:
    """An unreadable row, and the whole row behind it: what is written after a row without end (a
    full disk, a killed Asterisk) follows it on the same line.
    """
    for found in _START.finditer(record, 1):
        try:
            return record[: found.start()], parse_row(
                record[found.start() :].decode("utf-8", "replace")
            )
        except UnreadableRow:
            continue
    return record, None


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    start = 0
    for record in _NEXT.split(data):
        end = _row_end(record)
        for at, part in ((start, record[:end]), (start + end, record[end:])):
            if part.strip():
                yield at, part.rstrip(b"\r\n")
        start += len(record) + 1


def _row_end(record: bytes) -> int:
    """The end of the row: the first line feed outside quotes."""
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
    event, time, uniqueid, linkedid, channel, number, name, extension, context, _user, extra = (
        fields
    )
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
    if not (dot and ours and len(seconds) < 11 and len(micros) == 6):
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
    plain: dict[str, Any] = {}
    for name, content in value.items():
        if isinstance(content, str):
            plain[storable(name)] = storable(content)
        elif _is_whole_number(content):
            plain[storable(name)] = content
    return plain


def _is_whole_number(value: Any) -> bool:
    """Asterisk writes names with texts and numbers, nothing deeper."""
    return isinstance(value, int) and abs(value) < 2**53
