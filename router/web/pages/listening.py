"""Listening in on a call from the browser: its sound as a stream of samples."""

import asyncio
from collections.abc import AsyncIterator

import structlog
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse

from recordings.errors import InvalidName
from router.domain.calls.listening import Listening
from router.errors import DatabaseUnavailable, NotFound
from router.service.calls import listening as service
from router.service.calls.listening import Sides
from router.web.deps import (
    AppState,
    AppStateOf,
    LoggedIn,
    Now,
    StoreOf,
    person_or_none,
    same_origin,
)

log = structlog.get_logger()
router = APIRouter(include_in_schema=False)
EVERY = 0.2  # seconds
CHECK = 5  # looks after which the call and the right are looked up again
_ending: set[asyncio.Task[None]] = set()


@router.post("/calls/{call_id}/listen", dependencies=[Depends(same_origin)])
async def listen(
    request: Request,
    app_state: AppStateOf,
    store: StoreOf,
    person: LoggedIn,
    now: Now,
    call_id: str,
) -> Response:
    """Both sides of a call that goes on: 8000 samples a second, signed 16 bits, caller and company
    in turn. Written down before the first sound.
    """
    live = app_state.web.live
    if live is None:
        raise NotFound("This server has no access to the recordings of running calls.")
    listening, spool_name = await service.begin(store, person, call_id, now)
    try:
        sides = live.open(spool_name)
    except InvalidName as error:
        raise NotFound("This call has no sound.") from error
    headers = {"X-Accel-Buffering": "no", "Content-Encoding": "identity"}
    return StreamingResponse(
        _sound(request, app_state, listening, sides),
        media_type="application/octet-stream",
        headers=headers,
    )


async def _sound(
    request: Request, app_state: AppState, listening: Listening, sides: Sides
) -> AsyncIterator[bytes]:
    looks = 0
    try:
        while looks % CHECK or await _may_go_on(request, app_state, listening):
            looks += 1
            if part := sides.read():
                yield part
            await asyncio.sleep(EVERY)
    except (DatabaseUnavailable, OSError) as error:
        log.warning("listening_broke", reason=str(error))
    finally:
        sides.close()
        # the request may be cancelled: what is written down must not be
        task = asyncio.create_task(_end(app_state, listening))
        _ending.add(task)
        task.add_done_callback(_ending.discard)


async def _may_go_on(request: Request, app_state: AppState, listening: Listening) -> bool:
    person = await person_or_none(request, app_state)
    if person is None or person.login != listening.by:
        return False
    return await service.goes_on(app_state.web.store, listening)


async def _end(app_state: AppState, listening: Listening) -> None:
    try:
        await service.end(app_state.web.store, listening, app_state.web.clock())
    except DatabaseUnavailable as error:
        log.warning("listening_not_ended", reason=error.message)
