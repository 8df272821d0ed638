"""One stream of events for all tabs of a browser, and what changed since a revision: each tab
fetches the changes that it shows.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

import structlog
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from router.errors import DatabaseUnavailable
from router.web.deps import AppStateOf, LoggedIn, logged_in, may_follow
from router.web.live import INTERVAL, event
from router.web.pages.calls import SESSION_CHECK, Revision, live_rows

log = structlog.get_logger()
router = APIRouter(include_in_schema=False)
BEAT = round(10 / INTERVAL)  # looks between two events if nothing changes


@router.get("/events", response_class=EventSourceResponse)
async def events(
    request: Request, app_state: AppStateOf, _: LoggedIn
) -> AsyncIterator[ServerSentEvent]:
    """The counters of all live pages whenever one grows, and every ten seconds."""
    try:
        looks, seen = 0, None
        async for tick in app_state.ticks.follow():
            checked = looks % SESSION_CHECK == SESSION_CHECK - 1
            if checked and not await may_follow(request, app_state):
                return
            if tick != seen or looks % BEAT == 0:
                seen = tick
                yield event("tick", json.dumps({**asdict(tick), "beat": looks // BEAT}))
            looks += 1
    except DatabaseUnavailable as error:
        log.warning("live_page_ended", reason=error.message)


@router.get("/live/changes", dependencies=[Depends(logged_in)])
async def changes(
    request: Request, app_state: AppStateOf, since_revision: Revision = 0
) -> Response:
    """The rows that appeared or changed since a revision, as `/live` sends them."""
    start = await app_state.feed.start(since_revision)
    if start != since_revision:
        return _answer(start, [("stale", str(start))])
    rows_of = await live_rows(request, app_state)
    reached, lines = await app_state.feed.changes(start)
    return _answer(reached, await rows_of(lines))


@router.get("/calls/{call_id}/live/changes", dependencies=[Depends(logged_in)])
async def changes_of_call(
    app_state: AppStateOf, call_id: str, since_revision: Revision = 0
) -> Response:
    """Whether this call changed since a revision."""
    start = await app_state.feed.start(since_revision)
    if start != since_revision:
        return _answer(start, [("changed", str(start))])
    reached, lines = await app_state.feed.changes(start)
    ours = any(line.call.id == call_id for line in lines)
    return _answer(reached, [("changed", str(reached))] if ours else [])


def _answer(reached: int, found: list[tuple[str, Any]]) -> Response:
    return JSONResponse(
        {"reached": reached, "events": [{"name": name, "data": data} for name, data in found]}
    )
