"""CSV that spreadsheets read as it is meant: UTF-8 with a mark, and no cell is a formula."""

import csv
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from datetime import datetime
from io import StringIO

from router.exports.sheet import Cell, Sheet
from router.service.calls.browse import CallLine

CONTENT_TYPE = "text/csv; charset=utf-8"
BOM = b"\xef\xbb\xbf"
# Spreadsheets take cells that begin so for formulas, also in full width; a number with a plus, too.
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


async def csv_chunks(
    sheet: Sheet, batches: AsyncIterable[tuple[CallLine, ...]]
) -> AsyncIterator[bytes]:
    """The file, a batch of calls at a time."""
    separator = sheet.words.separator
    yield BOM + csv_rows([sheet.titles()], separator)
    async for lines in batches:
        yield csv_rows((sheet.row(line) for line in lines), separator)


def csv_rows(rows: Iterable[Iterable[Cell]], separator: str = ",") -> bytes:
    """Rows of a CSV file."""
    text = StringIO()
    writer = csv.writer(text, delimiter=separator)
    for row in rows:
        writer.writerow([_written(cell) for cell in row])
    return text.getvalue().encode("utf-8", "replace")


def _written(cell: Cell) -> str:
    """A cell that no spreadsheet carries out: texts that would be formulas begin with an
    apostrophe.
    """
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M:%S}"
    if isinstance(cell, str):
        if cell.lstrip(" ").startswith(FORMULAS):
            return f"'{cell}"
        return cell
    return str(cell)
