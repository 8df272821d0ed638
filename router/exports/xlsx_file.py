"""XLSX files. A row is written to the disk as soon as the next one begins."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException

from router.errors import Unavailable
from router.exports.sheet import Cell, Sheet
from router.service.calls.browse import CallLine

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROWS = 1_048_576  # that a worksheet can hold
LONGEST = 32_767  # characters that a cell can hold
CHUNK = 1 << 18  # bytes
TIME = "yyyy-mm-dd hh:mm:ss"


async def xlsx_chunks(
    sheet: Sheet, batches: AsyncIterable[tuple[CallLine, ...]]
) -> AsyncIterator[bytes]:
    """The file, which is written whole before its first byte is sent: the format wants it so."""
    with TemporaryDirectory(prefix="ringtrace-export-", ignore_cleanup_errors=True) as directory:
        path = Path(directory) / "calls.xlsx"
        book = _Book(path, sheet)
        try:
            async for lines in batches:
                await asyncio.to_thread(book.add, [sheet.row(line) for line in lines])
            await asyncio.to_thread(book.close)
        except (OSError, XlsxWriterException) as error:
            raise Unavailable(f"the file cannot be written: {error}") from error
        finally:
            book.abandon()
        with path.open("rb") as file:
            while chunk := await asyncio.to_thread(file.read, CHUNK):
                yield chunk


class _Book:
    """A workbook of as many worksheets as its rows need."""

    def __init__(self, path: Path, sheet: Sheet) -> None:
        options = {
            "constant_memory": True,
            "tmpdir": str(path.parent),
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        self._book = xlsxwriter.Workbook(str(path), options)
        self._titles, self._closed = sheet.titles(), False
        self._time = self._book.add_format({"num_format": TIME})
        self._bold = self._book.add_format({"bold": True})
        self._begin()

    def add(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Add rows of calls."""
        for row in rows:
            if self._row == ROWS:
                self._begin()
            for column, cell in enumerate(row):
                self._write(column, cell)
            self._row += 1

    def close(self) -> None:
        """Write the file."""
        self._book.close()
        self._closed = True

    def abandon(self) -> None:
        """Close what is open of a file that is not written to its end."""
        if not self._closed:
            for page in self._book.worksheets():
                with suppress(OSError, AttributeError):
                    page.row_data_fh.close()
            self._book.fileclosed = True

    def _begin(self) -> None:
        self._page: Any = self._book.add_worksheet()
        self._page.freeze_panes(1, 0)
        self._page.set_column(0, len(self._titles) - 1, 20)
        for column, title in enumerate(self._titles):
            self._page.write_string(0, column, title, self._bold)
        self._row = 1

    def _write(self, column: int, cell: Cell) -> None:
        if isinstance(cell, datetime):
            self._page.write_datetime(self._row, column, cell, self._time)
        elif isinstance(cell, str):
            self._page.write_string(self._row, column, cell[:LONGEST])
        elif cell is not None:
            self._page.write_number(self._row, column, cell)
