"""The live board: who rings, who talks, what is down, and the sums of the day."""

from collections.abc import AsyncIterator
from datetime import datetime, time

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from router.domain.calls.board import talks_to
from router.domain.visitors.site import Site
from router.errors import DatabaseUnavailable
from router.service.admin.setup import list_all
from router.service.calls.board import show_board
from router.web import board_words
from router.web.deps import AppStateOf, LoggedIn, Now, StoreOf, may_follow
from router.web.formats import Formats
from router.web.live import INTERVAL, OPEN, event
from router.web.pages.calls import SESSION_CHECK
from router.web.rendering import formats_of

log = structlog.get_logger()
router = APIRouter(include_in_schema=False)
LOOKS = round(10 / INTERVAL)  # after which heartbeats are read again


@router.get("/board")
async def page(
    request: Request, app_state: AppStateOf, store: StoreOf, person: LoggedIn, now: Now
) -> Response:
    """The board, for a wall screen and a phone."""
    sites = await list_all(store, Site)
    return app_state.pages.render(
        request,
        "board.html",
        person=person,
        board=await show_board(store, now, day_began(formats_of(request))),
        sites={each.id: each.name for each in sites},
        labels=board_words,
        talks_to=talks_to,
    )


def day_began(formats: Formats) -> datetime:
    """Midnight in the reader's time zone."""
    return datetime.combine(formats.today(), time(), tzinfo=formats.zone)


@router.get("/board/live", response_class=EventSourceResponse)
async def live(
    request: Request, app_state: AppStateOf, _: LoggedIn
) -> AsyncIterator[ServerSentEvent]:
    """An event whenever a call or a task changes, and every ten seconds for what is down."""
    yield OPEN
    try:
        looks, seen = 0, await app_state.ticks.now()
        async for tick in app_state.ticks.follow():
            looks += 1
            if looks % SESSION_CHECK == 0 and not await may_follow(request, app_state):
                return
            if tick != seen or looks % LOOKS == 0:
                seen = tick
                yield event("changed", str(tick.calls))
    except DatabaseUnavailable as error:
        log.warning("live_page_ended", reason=error.message)
