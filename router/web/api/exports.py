"""Exports of calls: tables as CSV and XLSX, and recordings as ZIP archives."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response, StreamingResponse

from router.domain.access import Scope
from router.domain.calls.call_query import CallQuery
from router.domain.calls.columns import DEFAULT, Columns, read_columns
from router.errors import Conflict, NotAllowed, NotFound
from router.exports import csv_file, xlsx_file, zip_file
from router.service.calls.selection import Selection
from router.service.calls.views import get_view, query_of
from router.web.api.views import PROGRAM
from router.web.deps import AppStateOf, NotLoggedIn, needs
from router.web.downloads import recordings_answer, table_answer
from router.web.error_handlers import answers
from router.web.formats import zone as zone_named
from router.web.languages import LANGUAGES
from router.web.sheets import sheet_of

router = APIRouter(
    prefix="/calls",
    tags=["exports"],
    dependencies=[Depends(needs(Scope.CALLS_READ))],
    responses=answers(NotFound, Conflict, NotLoggedIn, NotAllowed),
)
Name = Annotated[str | None, Query(max_length=80)]
FILTERS = (
    "Filters are those of an address of the list of calls, e.g. "
    "`period=7d&ending=busy&not_site=shop&talk_from=60`; unknown ones are ignored."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The calls and columns that a program asks for."""

    selection: Selection
    columns: Columns
    zone: Any
    language: Any


async def wanted(
    request: Request,
    app_state: AppStateOf,
    view: Annotated[Name, Query(description="The id of a saved view.")] = None,
    columns: Annotated[
        str | None,
        Query(max_length=400, description="Columns between dots, e.g. `time.caller.talk`."),
    ] = None,
    zone: Annotated[
        Name, Query(description="The time zone of days and times, e.g. `Europe/Moscow`; UTC.")
    ] = None,
    language: Annotated[Name, Query(description="`en` or `ru`.")] = None,
) -> Wanted:
    """The filters and columns of an address, or those of a view."""
    query, chosen = CallQuery.read(request.query_params.multi_items()), read_columns(columns)
    if view is not None:
        saved = await get_view(app_state.web.store, view, PROGRAM)
        query, chosen = query_of(saved), chosen or saved.columns
    place = zone_named(zone)
    today = app_state.web.clock().astimezone(place).date()
    return Wanted(
        selection=Selection(wanted=query.wanted(place, today)),
        columns=chosen or DEFAULT,
        zone=place,
        language=LANGUAGES.get(language or "en", LANGUAGES["en"]),
    )


WantedOf = Annotated[Wanted, Depends(wanted)]
Route = Callable[..., Awaitable[Response]]


def _table(kind: str) -> Route:
    async def table(app_state: AppStateOf, asked: WantedOf) -> Response:
        store = app_state.web.store
        sheet = await sheet_of(store, asked.columns, asked.language, asked.zone)
        return await table_answer(kind, store, asked.selection, sheet, app_state.web.clock())

    table.__doc__ = f"All matching calls as {kind.upper()}, newest first. {FILTERS}"
    return table


def _file(content_type: str) -> dict[str, Any]:
    content: dict[str, Any] = {content_type.partition(";")[0]: {}}
    return {
        "response_class": StreamingResponse,
        "responses": {200: {"content": content, "description": "the file"}},
    }


router.get("/export.csv", operation_id="export_csv", **_file(csv_file.CONTENT_TYPE))(_table("csv"))
router.get("/export.xlsx", operation_id="export_xlsx", **_file(xlsx_file.CONTENT_TYPE))(
    _table("xlsx")
)


@router.get(
    "/export.zip",
    operation_id="export_recordings",
    description=f"Recordings of matching calls, newest first, with `manifest.csv`: at most 500 "
    f'or 1 GiB, then `Link: <…>; rel="next"` leads to the next part. {FILTERS}',
    **_file(zip_file.CONTENT_TYPE),
)
async def export_recordings(
    request: Request,
    app_state: AppStateOf,
    asked: WantedOf,
    after: Annotated[
        str | None, Query(max_length=400, description="A cursor: the calls after this one.")
    ] = None,
) -> Response:
    """One part."""
    return await recordings_answer(
        request,
        app_state.web.store,
        app_state.web.listening,
        asked.selection,
        zone=asked.zone,
        now=app_state.web.clock(),
        after=after,
    )
