"""The transcript on a call's page: ordered and corrected."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Path, Request
from fastapi.responses import RedirectResponse, Response

from router.domain.calls.transcript import LONGEST_TEXT
from router.errors import InvalidInput
from router.service.calls.transcripts import correct_segment, order_transcripts
from router.web.deps import AppStateOf, LoggedIn, Now, StoreOf, logged_in, same_origin

router = APIRouter(include_in_schema=False, dependencies=[Depends(same_origin)])
Text = Annotated[str, Form(max_length=4 * LONGEST_TEXT)]
Place = Annotated[int, Path(ge=0, le=1_000_000)]


@router.post("/calls/{call_id}/transcript", dependencies=[Depends(logged_in)])
async def order(store: StoreOf, now: Now, call_id: str) -> Response:
    """Have the call transcribed."""
    await order_transcripts(store, [call_id], now)
    return RedirectResponse(f"/calls/{quote(call_id, safe='')}", 303)


@router.post("/calls/{call_id}/transcript/{place}")
async def correct(
    request: Request,
    app_state: AppStateOf,
    person: LoggedIn,
    now: Now,
    call_id: str,
    place: Place,
    text: Text,
) -> Response:
    """Correct a line."""
    store, author = app_state.web.store, person.login
    try:
        await correct_segment(store, call_id, place, text, author=author, now=now)
    except InvalidInput:
        return app_state.pages.problem(request, "invalid_line", status=422, headers={})
    return RedirectResponse(f"/calls/{quote(call_id, safe='')}", 303)
