"""Exports as answers: streamed, and ended when the reader leaves."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime, tzinfo
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from router.exports import csv_file, xlsx_file, zip_file
from router.exports.sheet import Sheet
from router.service.calls.browse import read_cursor
from router.service.calls.ports import RecordingReader
from router.service.calls.recordings_export import Part, plan_part
from router.service.calls.selection import Selection, batches
from router.service.ports import Store

EXPORTS: dict[str, tuple[Callable[..., AsyncIterator[bytes]], str]] = {
    "csv": (csv_file.csv_chunks, csv_file.CONTENT_TYPE),
    "xlsx": (xlsx_file.xlsx_chunks, xlsx_file.CONTENT_TYPE),
}


async def table_answer(
    kind: str, store: Store, selection: Selection, sheet: Sheet, now: datetime
) -> Response:
    """A table of calls. What is wrong with the request is said before the file begins."""
    export, content_type = EXPORTS[kind]
    chunks = await _begun(export(sheet, batches(store, selection)))
    name = f"calls-{now.astimezone(sheet.zone):%Y-%m-%d}.{kind}"
    return StreamingResponse(chunks, 200, _attachment(name), content_type)


async def recordings_answer(
    request: Request,
    store: Store,
    reader: RecordingReader,
    selection: Selection,
    *,
    zone: tzinfo,
    now: datetime,
    after: str | None = None,
    last: str | None = None,
) -> Response:
    """A ZIP archive of recordings; a header leads to the next part, if there is one."""
    part = await plan_part(
        store,
        reader,
        selection,
        after=read_cursor(after) if after else None,
        last=read_cursor(last) if last else None,
    )
    entries = zip_file.entries_of(part, zone, now)
    first = part.planned[0].call.arrived_at.astimezone(zone)
    headers = _attachment(f"recordings-{first:%Y-%m-%d_%H%M%S}.zip") | _next(request, part)
    if (size := zip_file.zip_size(entries)) is not None:
        headers["Content-Length"] = str(size)
    chunks = await _begun(zip_file.zip_chunks(entries))
    return StreamingResponse(chunks, 200, headers, zip_file.CONTENT_TYPE)


def _next(request: Request, part: Part) -> dict[str, str]:
    if part.next_cursor is None:
        return {}
    pairs = [pair for pair in request.query_params.multi_items() if pair[0] != "after"]
    address = f"{request.url.path}?{urlencode([*pairs, ('after', part.next_cursor)])}"
    return {"Link": f'<{address}>; rel="next"'}


def _attachment(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


async def _begun(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same chunks, of which the first is made already: an error so far has its own answer."""
    first: Any = await anext(chunks, b"")

    async def all_of_them() -> AsyncIterator[bytes]:
        yield first
        async for chunk in chunks:
            yield chunk

    return all_of_them()
