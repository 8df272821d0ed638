"""Missed callers: who has to be called back, by whom, and how soon it happens."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from router.domain.access import Person
from router.domain.calls.missed_events import EventKind
from router.domain.visitors.site import Site
from router.errors import DatabaseUnavailable
from router.service.admin.setup import list_all
from router.service.calls import missed_tasks as tasks
from router.service.calls.call_backs import backs_by_number
from router.service.calls.missed_figures import missed_figures
from router.web import call_back_words, missed_words
from router.web.deps import (
    AppStateOf,
    LoggedIn,
    Now,
    StoreOf,
    logged_in,
    may_follow,
    person_or_none,
    same_origin,
)
from router.web.live import OPEN, event
from router.web.pages.calls import SESSION_CHECK, LastEvent, Revision
from router.web.rendering import formats_of
from router.web.requests import query_of

log = structlog.get_logger()
router = APIRouter(include_in_schema=False)
DONE_ROWS = 20
PERIODS = (7, 30)  # days
REPORTS = {
    "reached": EventKind.REACHED,
    "not_answered": EventKind.NOT_ANSWERED,
    "not_needed": EventKind.NOT_NEEDED,
    "given_up": EventKind.GIVEN_UP,
}
Days = Annotated[int, Query(ge=1, le=30)]
SiteId = Annotated[str, Query(max_length=40)]
Note = Annotated[str, Form(max_length=8000)]
CHANGE = [Depends(same_origin)]


async def count(
    request: Request,
    store: StoreOf,
    now: Now,
    person: Annotated[Person | None, Depends(person_or_none)],
) -> None:
    """Count callers who wait for a call back, for the badge of every page."""
    if person is not None and request.method == "GET":
        request.state.missed = await tasks.count_waiting(store, now)


@router.get("/missed")
async def page(
    request: Request,
    app_state: AppStateOf,
    store: StoreOf,
    person: LoggedIn,
    now: Now,
    site: SiteId = "",
    days: Days = PERIODS[0],
    cursor: str | None = None,
) -> Response:
    """The tasks to be done, those that wait longest first; those that are done; the figures."""
    site_id, formats = site or None, formats_of(request)
    open_now = await tasks.open_tasks(store, now, site_id)
    done = await tasks.closed_tasks(store, site_id=site_id, cursor=cursor, limit=DONE_ROWS)
    figures = await missed_figures(store, now - timedelta(days=days), now, formats.zone, site_id)
    return app_state.pages.render(
        request,
        "missed.html",
        person=person,
        open=open_now,
        done=done,
        figures=figures,
        sites={each.id: each.name for each in await list_all(store, Site)},
        site_id=site_id,
        days=days,
        periods=PERIODS,
        labels=missed_words,
        backs=await backs_by_number(store, now),
        back_words=call_back_words,
        longest_note=tasks.LONGEST_NOTE,
        query=query_of(request),
    )


@router.get("/missed/live", response_class=EventSourceResponse)
async def live(
    request: Request,
    app_state: AppStateOf,
    _: LoggedIn,
    since_revision: Revision = 0,
    last_event_id: LastEvent = None,
) -> AsyncIterator[ServerSentEvent]:
    """An event whenever a task changes."""
    seen = int(last_event_id or since_revision)
    yield OPEN
    try:
        looks = 0
        async for tick in app_state.ticks.follow():
            looks += 1
            if looks % SESSION_CHECK == 0 and not await may_follow(request, app_state):
                return
            if tick.missed != seen:
                seen = tick.missed
                yield event("changed", str(seen), id=seen)
    except DatabaseUnavailable as error:
        log.warning("live_page_ended", reason=error.message)


def _back(request: Request) -> Response:
    """The page again, with the filters that it had."""
    query = query_of(request)
    return RedirectResponse(f"/missed{query}", 303)


@router.post("/missed/{task_id}/take", dependencies=CHANGE)
async def take(
    request: Request, store: StoreOf, person: LoggedIn, now: Now, task_id: str
) -> Response:
    """Take a task, so that others see it."""
    await tasks.take(store, task_id, person.login, now)
    return _back(request)


@router.post("/missed/{task_id}/release", dependencies=[*CHANGE, Depends(logged_in)])
async def release(request: Request, store: StoreOf, task_id: str) -> Response:
    """Release a task, also one of a colleague."""
    await tasks.release(store, task_id)
    return _back(request)


@router.post("/missed/{task_id}/note", dependencies=[*CHANGE, Depends(logged_in)])
async def note(request: Request, store: StoreOf, task_id: str, note: Note = "") -> Response:
    """Write the note."""
    await tasks.set_note(store, task_id, note)
    return _back(request)


@router.post("/missed/{task_id}/report", dependencies=CHANGE)
async def report(
    request: Request,
    store: StoreOf,
    person: LoggedIn,
    now: Now,
    task_id: str,
    kind: Annotated[str, Form(pattern=f"^({'|'.join(REPORTS)})$")],
) -> Response:
    """Say what came of a call back, or that none is needed."""
    await tasks.report(store, task_id, REPORTS[kind], by=person.login, now=now)
    return _back(request)


@router.post("/missed/{task_id}/reopen", dependencies=[*CHANGE, Depends(logged_in)])
async def reopen(request: Request, store: StoreOf, task_id: str) -> Response:
    """Take back that no call back is needed."""
    await tasks.reopen(store, task_id)
    return _back(request)
