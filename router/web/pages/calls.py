"""The calls: newest first, filtered, a page at a time, and live while it is open."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from router.domain.calls.call_filter import CallFilter
from router.domain.calls.call_order import NEWEST, CallOrder
from router.domain.calls.call_query import parameter_of
from router.domain.calls.columns import offered, written_columns
from router.domain.calls.saved_view import written_text
from router.errors import DatabaseUnavailable
from router.service.calls.browse import (
    CallLine,
    CallPage,
    Count,
    count_calls,
    find_calls,
    matching,
    read_place,
    values_of,
)
from router.service.ports import Store
from router.web.deps import AppState, AppStateOf, LoggedIn, logged_in, may_follow
from router.web.live import OPEN, event
from router.web.pages.call_list import chips, headings, list_query
from router.web.pages.list_state import read_state, shown_of
from router.web.rendering import formats_of, speech_of
from router.web.sheets import names_of

log = structlog.get_logger()
router = APIRouter(include_in_schema=False)
ROWS = 50  # added by one click on More
MOST_ROWS = 1000  # limit of an address
AT_ONCE = 200  # per query
LONGEST_TYPED = 80  # characters
VALUES_FROM = timedelta(days=90)  # that the values of a filter are taken from
SESSION_CHECK = 4  # polls after which the session is checked again
LastEvent = Annotated[str | None, Header(pattern=r"^\d{1,18}$")]
Revision = Annotated[int, Query(ge=0, lt=10**18)]


@router.get("/calls")
async def calls(
    request: Request,
    app_state: AppStateOf,
    person: LoggedIn,
    cursor: str | None = None,
    rows: str = "",
) -> Response:
    """The list; with a cursor, its next page. `rows` is the number of calls loaded. More writes it
    into the address, so that Back and reload show them again.
    """
    store, formats, speech = app_state.web.store, formats_of(request), speech_of(request)
    state = await read_state(request, store, person, speech)
    shown = state.shown
    wanted = shown.query.wanted(formats.zone, formats.today())
    loaded, order = _rows(rows), shown.query.order
    if cursor:
        page = await find_calls(store, wanted, order=order, cursor=cursor, limit=ROWS, bounded=True)
    else:
        page = await _first(store, wanted, order, loaded)

    names = await names_of(store)
    return app_state.pages.render(
        request,
        "calls.html",
        person=person,
        page=page,
        count=None if cursor else await _count(store, wanted, page),
        state=state,
        shown=shown,
        query=shown.query,
        columns=shown.columns,
        offered_columns=offered(shown.columns),
        query_text=written_text(shown.query),
        columns_text=written_columns(shown.columns),
        within=list_query(shown),
        filter=shown.query.filter,
        parameter_of=parameter_of,
        times=True,
        chips=list(chips(shown, speech, formats, names)),
        names=names,
        rows=_rows(str(loaded + ROWS)) if cursor else loaded,
        rows_with_more=_rows(str(loaded + (2 * ROWS if cursor else ROWS))),
        searched_to=_searched_to(page, order),
        headings=headings(shown),
        live=None
        if cursor or order != NEWEST or _is_past(wanted, app_state.web.clock())
        else shown.to("/live", since_revision=page.revision),
    )


@router.get("/calls/values/{name}", dependencies=[Depends(logged_in)])
async def values(request: Request, app_state: AppStateOf, name: str) -> Response:
    """The values of one filter in the last 90 days, to choose from: those that contain what was
    typed, which is sent under the name of the field.
    """
    typed = next(iter(request.query_params.values()), "").strip()[:LONGEST_TYPED]
    since = app_state.web.clock() - VALUES_FROM
    found = await values_of(app_state.web.store, name, since=since, containing=typed)
    return app_state.pages.render(request, "values.html", values=found)


def _rows(text: str) -> int:
    """The number of rows in an address; invalid values are ignored."""
    wanted = ROWS
    if text.isascii() and text.isdigit() and len(text) < 7:
        wanted = int(text)

    return min(max(wanted, ROWS), MOST_ROWS)


async def _first(store: Store, wanted: CallFilter, order: CallOrder, rows: int) -> CallPage:
    """The first `rows` calls as one page."""
    page = await find_calls(store, wanted, order=order, limit=min(rows, AT_ONCE), bounded=True)
    lines = list(page.lines)

    while page.next_cursor and len(lines) < rows and not page.is_partial:
        following = await find_calls(
            store,
            wanted,
            order=order,
            cursor=page.next_cursor,
            limit=min(rows - len(lines), AT_ONCE),
            bounded=True,
        )
        lines += following.lines
        page = replace(page, next_cursor=following.next_cursor, is_partial=following.is_partial)
    return replace(page, lines=tuple(lines))


async def _count(store: Store, wanted: CallFilter, page: CallPage) -> Count:
    """The calls that match; a page that holds all of them is counted without a search."""
    if page.next_cursor is None:
        return Count(calls=len(page.lines))
    if page.is_partial:
        return Count(calls=len(page.lines), is_exact=False)
    return await count_calls(store, wanted)


def _searched_to(page: CallPage, order: CallOrder) -> datetime | None:
    """How far a search came that ended before its page was full."""
    if not page.is_partial or page.next_cursor is None:
        return None
    return read_place(page.next_cursor, order)[-2]  # type: ignore[no-any-return]


def _is_past(wanted: CallFilter, now: datetime) -> bool:
    """Whether the last shown day is over, so that no new call can appear."""
    return wanted.until is not None and wanted.until <= now


@router.get("/live", response_class=EventSourceResponse)
async def live(
    request: Request,
    app_state: AppStateOf,
    _: LoggedIn,
    since_revision: Revision = 0,
    last_event_id: LastEvent = None,
) -> AsyncIterator[ServerSentEvent]:
    """Rows that appear or change, as server-sent events; goes on after the last one the browser
    has.
    """
    seen = int(last_event_id or since_revision)
    rows_of = await live_rows(request, app_state)

    async for start, lines in news(request, app_state, seen):
        if start != seen:  # the page reloads its list instead of a thousand rows
            yield event("stale", str(start), id=start)
            seen = start
        for line, (name, data) in zip(lines, await rows_of(lines), strict=True):
            # calls can share a revision, so only the last of a batch carries it
            yield event(name, data, id=line.call.revision if line is lines[-1] else None)
        if not lines:
            yield OPEN


async def live_rows(
    request: Request, app_state: AppState
) -> Callable[[Sequence[CallLine]], Awaitable[list[tuple[str, str]]]]:
    """What makes events of changed calls for the list of this address: `call` with its row, or
    `gone` with its id.
    """
    formats, shown, store = formats_of(request), shown_of(request), app_state.web.store
    wanted = shown.query.wanted(formats.zone, formats.today())
    names = await names_of(store)
    within = list_query(replace(shown, view=request.query_params.get("view")))

    def row(line: CallLine) -> str:
        columns = shown.columns
        return app_state.pages.text(
            request, "row.html", line=line, columns=columns, names=names, within=within
        )

    async def rows_of(lines: Sequence[CallLine]) -> list[tuple[str, str]]:
        found = await matching(store, lines, wanted)
        return [("call", row(line)) if line in found else ("gone", line.call.id) for line in lines]

    return rows_of


async def news(
    request: Request, app_state: AppState, seen: int
) -> AsyncIterator[tuple[int, list[CallLine]]]:
    """The calls changed after revision `seen`, each time with the revision at which the stream
    began; twice an empty list at first, when the stream is open and when it follows.

    It ends when the person is logged out, and when the database does not answer: the browser then
    connects again and goes on after the last event it has. Between events FastAPI keeps the
    connection alive.
    """
    try:
        start = await app_state.feed.start(seen)
        yield start, []
        looks = count()
        async for lines in app_state.feed.follow(start):
            look = next(looks)
            checked = look % SESSION_CHECK == SESSION_CHECK - 1
            if checked and not await may_follow(request, app_state):
                return
            if lines or look == 0:
                yield start, lines
    except DatabaseUnavailable as error:
        log.warning("live_page_ended", reason=error.message)
