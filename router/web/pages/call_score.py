"""The score card on the page of a call."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BeforeValidator

from router.domain.calls.scoring import LONGEST_COMMENT
from router.domain.calls.tagging import LONGEST_MOMENT
from router.errors import InvalidInput
from router.service.calls.score_answers import answer_question, comment_question, submit_score
from router.service.calls.score_sheets import Sheet
from router.service.calls.scoring import begin_score, discard_score, waive_score
from router.web.deps import AppStateOf, LoggedIn, Now, StoreOf, same_origin
from router.web.pages.call import address_of

router = APIRouter(
    prefix="/calls/{call_id}/score", include_in_schema=False, dependencies=[Depends(same_origin)]
)
Id = Annotated[str, Form(max_length=40)]
Text = Annotated[str, Form(max_length=2 * LONGEST_COMMENT)]  # line breaks come as two characters
Moment = Annotated[
    float | None,
    BeforeValidator(lambda text: text or None),
    Form(ge=0, le=LONGEST_MOMENT),
]


@router.post("")
async def begin(store: StoreOf, person: LoggedIn, now: Now, call_id: str, card: Id) -> Response:
    """Begin to score the call by a card."""
    await begin_score(store, call_id, card, person, now)
    return _back(call_id)


@router.post("/answers")
async def answer(
    request: Request,
    app_state: AppStateOf,
    person: LoggedIn,
    call_id: str,
    question: Id,
    value: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Answer one question."""
    sheet = await answer_question(app_state.web.store, call_id, question, value, login=person.login)
    return _so_far(request, app_state, call_id, sheet)


@router.post("/comments")
async def comment(
    request: Request,
    app_state: AppStateOf,
    person: LoggedIn,
    call_id: str,
    question: Id,
    text: Text = "",
    at_seconds: Moment = None,
) -> Response:
    """Comment on one question."""
    sheet = await comment_question(
        app_state.web.store, call_id, question, text, login=person.login, at_seconds=at_seconds
    )
    return _so_far(request, app_state, call_id, sheet)


@router.post("/submit")
async def submit(
    request: Request, app_state: AppStateOf, person: LoggedIn, now: Now, call_id: str
) -> Response:
    """Submit the score."""
    try:
        await submit_score(app_state.web.store, call_id, login=person.login, now=now)
    except InvalidInput:
        return app_state.pages.problem(request, "incomplete_score", status=422, headers={})
    return _back(call_id)


@router.post("/discard")
async def discard(store: StoreOf, person: LoggedIn, call_id: str) -> Response:
    """Remove the draft."""
    await discard_score(store, call_id, login=person.login)
    return _back(call_id)


@router.post("/waive")
async def waive(store: StoreOf, person: LoggedIn, now: Now, call_id: str) -> Response:
    """Show the others' scores, and score the call no more."""
    await waive_score(store, call_id, person, now)
    return _back(call_id)


def _back(call_id: str) -> Response:
    return RedirectResponse(f"{address_of(call_id)}#score-title", 303)


def _so_far(request: Request, app_state: AppStateOf, call_id: str, sheet: Sheet) -> Response:
    """What the answers so far make; the page keeps its fields and its focus."""
    if "hx-request" not in request.headers:
        return _back(call_id)
    return app_state.pages.render(request, "score_figure.html", own=sheet)
