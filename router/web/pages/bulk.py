"""Changes of the calls that were marked in the list."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from router.domain.calls.qualification import Subject
from router.errors import InvalidInput
from router.service.calls.bulk import (
    DECISIONS,
    BulkAction,
    BulkResult,
    change_calls,
    undo_change,
)
from router.web.deps import AppState, AppStateOf, LoggedIn, Now, StoreOf, same_origin
from router.web.labels import tag_named
from router.web.pages.exports import Everything, Marked, marked
from router.web.pages.list_state import shown_of

router = APIRouter(include_in_schema=False)
UNDONE = {Subject.TARGET: BulkAction.UNDO_TARGET, Subject.SPAM: BulkAction.UNDO_SPAM}
CHANGED = "callsChanged"  # an event that makes the page fetch its list again


@router.post("/calls/bulk", dependencies=[Depends(same_origin)])
async def bulk(
    request: Request,
    app_state: AppStateOf,
    store: StoreOf,
    person: LoggedIn,
    now: Now,
    action: Annotated[BulkAction, Form()],
    name: Annotated[str, Form(max_length=200)] = "",
    call: Marked = [],  # noqa: B006
    everything: Everything = False,
) -> Response:
    """Change the calls: a tag, whether they are reviewed, what they count as."""
    try:
        result = await change_calls(
            store,
            marked(request, call, everything),
            action,
            tag_named(" ".join(name.split())),
            author=person.login,
            now=now,
        )
    except InvalidInput:
        return app_state.pages.problem(request, "invalid_tag", status=422, headers={})
    if not request.headers.get("hx-request"):
        return RedirectResponse(shown_of(request).to("/calls"), 303)
    undo = DECISIONS.get(action) if result.changed else None
    return _done(app_state, request, result, action, undo=undo, at=now.isoformat())


@router.post("/calls/bulk/undo", dependencies=[Depends(same_origin)])
async def undo(
    request: Request,
    app_state: AppStateOf,
    store: StoreOf,
    person: LoggedIn,
    now: Now,
    subject: Annotated[Subject, Form()],
    at: Annotated[datetime, Form()],
) -> Response:
    """Take back one change of what calls count as, made by the same person."""
    if subject not in UNDONE or at.tzinfo is None:
        return app_state.pages.problem(request, "invalid_input", status=422, headers={})
    undone = await undo_change(store, subject, author=person.login, at=at, now=now)
    if not request.headers.get("hx-request"):
        return RedirectResponse("/calls", 303)
    result = BulkResult(chosen=undone, changed=undone)
    return _done(app_state, request, result, UNDONE[subject], undo=None)


def _done(
    app_state: AppState, request: Request, result: BulkResult, action: BulkAction, **more: Any
) -> Response:
    answer = app_state.pages.render(request, "done.html", result=result, action=action, **more)
    answer.headers["HX-Trigger"] = CHANGED
    return answer
