"""Changes of the calls that were marked in the list."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from router.errors import InvalidInput
from router.service.calls.bulk import BulkAction, change_calls
from router.web.deps import AppStateOf, LoggedIn, Now, StoreOf, same_origin
from router.web.labels import tag_named
from router.web.pages.exports import Everything, Marked, marked
from router.web.pages.list_state import shown_of

router = APIRouter(include_in_schema=False)
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
    """Add a tag to the calls, or remove it."""
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
    answer = app_state.pages.render(request, "done.html", result=result, action=action)
    answer.headers["HX-Trigger"] = CHANGED
    return answer
