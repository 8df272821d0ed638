"""Recordings by links that need no log-in: for the lists of calls in CRMs.

Whatever is wrong with a link, the answer is the same. Nothing of it is logged or kept by a browser.
"""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from router.domain.calls.call import Call, Recording, RecordingState
from router.domain.calls.recording_link import opens
from router.errors import NotFound
from router.web.api.recordings import Asked, served
from router.web.deps import AppState, AppStateOf, Now
from router.web.middleware import let_pages

router = APIRouter(include_in_schema=False)
_NOT_VALID = "This link is not valid, or has ended."
_LONGEST = 100  # characters of a parameter
_CLOSED = {"X-Robots-Tag": "noindex, nofollow"}


@router.get("/recordings/{call_id}/{name}")
@router.head("/recordings/{call_id}/{name}")
async def by_link(
    request: Request,
    app_state: AppStateOf,
    now: Now,
    call_id: str,
    name: str,
    until: Annotated[str, Query(max_length=_LONGEST)] = "",
    signature: Annotated[str, Query(max_length=_LONGEST)] = "",
    wanted: Annotated[str | None, Header(alias="range")] = None,
    if_range: Annotated[str | None, Header()] = None,
) -> Response:
    """The audio, whole or in parts."""
    call, found = await _found(app_state, call_id)
    key = app_state.web.recording_key()
    if found is None or call is None or not opens(key, found, until, signature, now):
        raise NotFound(_NOT_VALID)

    let_pages(request, "*")  # the CRM's page plays it
    asked = Asked(wanted=wanted, if_range=if_range)
    answer = await served(request, app_state, call, found, asked, "no-store")
    answer.headers.update(_CLOSED)
    return answer


async def _found(app_state: AppState, call_id: str) -> tuple[Call | None, Recording | None]:
    async with app_state.web.store.read() as session:
        found = await session.peek(Recording, call_id)
        call = await session.peek(Call, call_id)
    stored = found is not None and found.state is RecordingState.STORED
    return call, found if stored else None
