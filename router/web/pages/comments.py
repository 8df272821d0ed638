"""Comments on the page of a call."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import RedirectResponse, Response
from pydantic import BeforeValidator

from router.domain.calls.comment import LONGEST
from router.domain.calls.tagging import LONGEST_MOMENT
from router.service.calls.comments import add_comment, delete_comment, edit_comment
from router.web.deps import LoggedIn, Now, StoreOf, same_origin
from router.web.pages.call import address_of

router = APIRouter(include_in_schema=False, dependencies=[Depends(same_origin)])
Text = Annotated[str, Form(max_length=2 * LONGEST)]  # line breaks come as two characters
Seen = Annotated[datetime | None, BeforeValidator(lambda text: text or None), Form()]


@router.post("/calls/{call_id}/comments")
async def add(
    store: StoreOf,
    person: LoggedIn,
    now: Now,
    call_id: str,
    text: Text,
    at_seconds: Annotated[float | None, Form(ge=0, le=LONGEST_MOMENT)] = None,
    private: Annotated[bool, Form()] = False,
    readers: Annotated[list[str], Form()] = [],  # noqa: B006 (FastAPI copies it)
) -> Response:
    """Write a comment."""
    await add_comment(
        store,
        call_id,
        text,
        author=person.login,
        now=now,
        at_seconds=at_seconds,
        private=private,
        readers=readers,
    )
    return RedirectResponse(f"{address_of(call_id)}#comments", 303)


@router.post("/calls/{call_id}/comments/{comment_id}")
async def edit(
    store: StoreOf,
    person: LoggedIn,
    now: Now,
    call_id: str,
    comment_id: str,
    text: Text,
    seen: Seen = None,
) -> Response:
    """Change an own comment."""
    await edit_comment(store, call_id, comment_id, text, author=person.login, now=now, seen=seen)
    return RedirectResponse(f"{address_of(call_id)}#comment-{comment_id}", 303)


@router.post("/calls/{call_id}/comments/{comment_id}/delete")
async def delete(store: StoreOf, person: LoggedIn, call_id: str, comment_id: str) -> Response:
    """Delete an own comment."""
    await delete_comment(store, call_id, comment_id, author=person.login)
    return RedirectResponse(f"{address_of(call_id)}#comments", 303)
