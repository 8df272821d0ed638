"""Exports of the list of calls: what it shows, or the calls that were marked."""

from dataclasses import replace
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from router.service.calls.recordings_export import list_parts
from router.service.calls.selection import Selection
from router.web.deps import AppStateOf, LoggedIn, StoreOf, logged_in, same_origin
from router.web.downloads import recordings_answer, table_answer
from router.web.pages.list_state import shown_of
from router.web.rendering import formats_of, language_of
from router.web.sheets import sheet_of

router = APIRouter(include_in_schema=False)
MOST_MARKED = 1500  # calls in one form
Everything = Annotated[bool, Form()]
Marked = Annotated[list[str], Form(max_length=MOST_MARKED)]
EVERY = "0001-01-02T00:00:00+00:00~-"  # a cursor behind the oldest call


class Kind(StrEnum):
    """A format of a table."""

    CSV = "csv"
    XLSX = "xlsx"


def _selection(request: Request) -> Selection:
    """What the address of the list shows."""
    formats = formats_of(request)
    return Selection(wanted=shown_of(request).query.wanted(formats.zone, formats.today()))


@router.get("/calls/export.{kind}", dependencies=[Depends(logged_in)])
async def table(request: Request, app_state: AppStateOf, kind: Kind) -> Response:
    """What the list shows: its filters, columns and order."""
    return await _table(request, app_state, kind, _selection(request))


@router.post("/calls/export.{kind}", dependencies=[Depends(same_origin), Depends(logged_in)])
async def table_of_marked(
    request: Request,
    app_state: AppStateOf,
    kind: Kind,
    call: Marked = [],  # noqa: B006
    everything: Everything = False,
) -> Response:
    """The calls that were marked, or all that match."""
    return await _table(request, app_state, kind, marked(request, call, everything))


async def _table(
    request: Request, app_state: AppStateOf, kind: Kind, selection: Selection
) -> Response:
    store, zone = app_state.web.store, formats_of(request).zone
    sheet = await sheet_of(store, shown_of(request).columns, language_of(request), zone)
    return await table_answer(kind, store, selection, sheet, app_state.web.clock())


def marked(request: Request, call_ids: list[str], everything: bool) -> Selection:
    """The calls that a form marks; with `everything`, all that the address of the form matches and
    that have arrived.
    """
    if not everything:
        return Selection(call_ids=tuple(dict.fromkeys(call_ids)))
    selection, now = _selection(request), formats_of(request).now
    until = min(selection.wanted.until or now, now)
    return Selection(wanted=replace(selection.wanted, until=until))


@router.get("/calls/recordings")
async def parts(
    request: Request,
    app_state: AppStateOf,
    store: StoreOf,
    person: LoggedIn,
    after: str | None = None,
    part: Annotated[int, Query(ge=1, lt=10**9)] = 1,
) -> Response:
    """The recordings of the calls that the list shows, as parts to fetch one by one. The browser
    asks for those that follow as they come into view.
    """
    return app_state.pages.render(
        request,
        "recordings.html",
        person=person,
        found=await list_parts(store, _selection(request), after, bounded=True),
        first_part=part,
        shown=shown_of(request),
    )


@router.get("/calls/recordings.zip", dependencies=[Depends(logged_in)])
async def recordings(
    request: Request, app_state: AppStateOf, after: str | None = None, last: str | None = None
) -> Response:
    """One part."""
    return await recordings_answer(
        request,
        app_state.web.store,
        app_state.web.listening,
        _selection(request),
        zone=formats_of(request).zone,
        now=app_state.web.clock(),
        after=after,
        last=last,
    )


@router.post("/calls/recordings.zip", dependencies=[Depends(same_origin), Depends(logged_in)])
async def recordings_of_marked(
    request: Request,
    app_state: AppStateOf,
    call: Marked = [],  # noqa: B006
    everything: Everything = False,
) -> Response:
    """The recordings of the calls that were marked; of all that match, the page of parts."""
    if everything:
        return RedirectResponse(shown_of(request).export("/calls/recordings"), 303)
    return await recordings_answer(
        request,
        app_state.web.store,
        app_state.web.listening,
        Selection(call_ids=tuple(dict.fromkeys(call))),
        zone=formats_of(request).zone,
        now=app_state.web.clock(),
        last=EVERY,
    )
