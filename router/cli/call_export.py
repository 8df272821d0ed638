"""`ringtrace call export`: matching calls as CSV or XLSX, or their recordings as ZIP archives."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import nullcontext
from datetime import tzinfo
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qsl

import typer

from router.atomic_file import replacing
from router.bootstrap import now, open_storage
from router.cli.opening import read_settings, ready_store
from router.cli.output import AsJson, note, print_json, say
from router.config import Settings
from router.domain.calls.call_query import CallQuery
from router.domain.calls.columns import DEFAULT, Columns, read_columns
from router.domain.calls.saved_view import Editor
from router.errors import InvalidInput
from router.exports import zip_file
from router.recorder import StorageReader
from router.service.calls.browse import read_cursor
from router.service.calls.recordings_export import all_parts, plan_part
from router.service.calls.selection import Selection, batches
from router.service.calls.views import get_view, query_of
from router.service.ports import Store

STDOUT = Path("-")
EVERYTHING = Editor(login=None, is_administrator=True)


class Language(StrEnum):
    """Language of titles and words."""

    EN = "en"
    RU = "ru"


def export(
    to: Annotated[
        Path, typer.Argument(metavar="FILE", help="Ends with .csv, .xlsx or .zip; - prints CSV.")
    ],
    query: Annotated[
        str,
        typer.Option(
            help="Filters, as in the address of the list of calls: 'tag=missed&period=7d'."
        ),
    ] = "",
    view: Annotated[str | None, typer.Option(help="The ID of a shared view.")] = None,
    columns: Annotated[
        str | None, typer.Option(help="Columns between dots, e.g. time.caller.talk.")
    ] = None,
    zone: Annotated[str | None, typer.Option(help="Time zone, e.g. Europe/Moscow.")] = None,
    language: Annotated[Language, typer.Option(help="Language of the titles.")] = Language.EN,
    as_json: AsJson = False,
) -> None:
    """Export matching calls, newest first.

    The recordings of a .zip are written in parts of at most 500 (FILE-1.zip, FILE-2.zip …). Parts
    that exist are kept, so an interrupted export can be repeated.
    """
    written = asyncio.run(
        _export(read_settings(), to, query, view, read_columns(columns), zone, language)
    )
    if as_json and to != STDOUT:
        print_json({"written": [str(path) for path in written]})
    elif to != STDOUT:
        for path in written:
            say(f"Written: {path}")


async def _export(
    settings: Settings,
    to: Path,
    query: str,
    view: str | None,
    columns: Columns,
    zone: str | None,
    language: str,
) -> list[Path]:
    from router.web.formats import zone as zone_named
    from router.web.languages import LANGUAGES
    from router.web.sheets import sheet_of

    place = now().astimezone().tzinfo
    if zone:
        place = zone_named(zone)

    assert place is not None
    async with ready_store(settings) as store:
        asked = CallQuery.read(parse_qsl(query, keep_blank_values=True))
        if view is not None:
            saved = await get_view(store, view, EVERYTHING)
            asked, columns = query_of(saved), columns or saved.columns
        selection = Selection(wanted=asked.wanted(place, now().astimezone(place).date()))
        if to.suffix == ".zip":
            return await _write_parts(store, settings, selection, to, place)
        sheet = await sheet_of(store, columns or DEFAULT, LANGUAGES[language], place)
        return await _write_table(store, selection, to, sheet)


async def _write_table(store: Store, selection: Selection, to: Path, sheet: Any) -> list[Path]:
    from router.exports.csv_file import csv_chunks
    from router.exports.xlsx_file import xlsx_chunks

    kinds = {".csv": csv_chunks, ".xlsx": xlsx_chunks}
    if to != STDOUT and to.suffix not in kinds:
        raise InvalidInput(f"{to}: the name of an export ends with .csv, .xlsx or .zip")
    if to == STDOUT:
        make = csv_chunks
    else:
        make = kinds[to.suffix]

    await _write(to, make(sheet, batches(store, selection)))
    return [to]


async def _write_parts(
    store: Store, settings: Settings, selection: Selection, to: Path, zone: tzinfo
) -> list[Path]:
    reader, written, number = StorageReader(open_storage(settings)), [], 0
    async for facts in all_parts(store, selection):
        number += 1
        path = to.with_name(f"{to.stem}-{number}{to.suffix}")
        if path.exists():
            note(f"Kept: {path}")
            continue
        part = await plan_part(
            store,
            reader,
            selection,
            after=read_cursor(facts.after) if facts.after else None,
            last=read_cursor(facts.last),
        )
        await _write(path, zip_file.zip_chunks(zip_file.entries_of(part, zone, now())))
        written.append(path)
    return written


async def _write(path: Path, chunks: AsyncIterator[bytes]) -> None:
    """Write a whole file or none."""
    try:
        with (
            nullcontext(sys.stdout.buffer)
            if path == STDOUT
            else replacing(path, mode=0o666) as file
        ):
            async for chunk in chunks:
                file.write(chunk)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}") from error
