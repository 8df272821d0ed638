"""What people decide of a call: whether it is a target call, and whether it is spam."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import RedirectResponse, Response

from router.domain.calls.qualification import Subject
from router.service.calls.qualification import decide, undo_decision
from router.web.deps import LoggedIn, Now, StoreOf, same_origin
from router.web.pages.call import address_of

router = APIRouter(include_in_schema=False, dependencies=[Depends(same_origin)])


class Answer(StrEnum):
    """What a person says."""

    YES = "yes"
    NO = "no"
    UNDO = "undo"  # the rules count again


@router.post("/calls/{call_id}/decision")
async def decision(
    store: StoreOf,
    person: LoggedIn,
    now: Now,
    call_id: str,
    subject: Annotated[Subject, Form()],
    answer: Annotated[Answer, Form()],
) -> Response:
    """Decide, or take a decision back."""
    if answer is Answer.UNDO:
        await undo_decision(store, call_id, subject, now)
    else:
        wanted = answer is Answer.YES
        await decide(store, call_id, subject, wanted=wanted, author=person.login, now=now)
    return RedirectResponse(address_of(call_id), 303)
