"""The page of a receiver: its health by outcomes, what to do about each cause, and a preview of its
texts.
"""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from router.service.delivery.causes import dismiss_cause, resend_cause
from router.service.delivery.receiver_view import view_receiver
from router.web.deps import AppStateOf, LoggedIn, Now, StoreOf, administrator, same_origin

router = APIRouter(include_in_schema=False)
ADMINISTRATORS = [Depends(same_origin), Depends(administrator)]
Count = Annotated[int | None, Query(ge=0, le=10**9)]
CauseKey = Annotated[str, Form(pattern=r"^[0-9a-f]{16}$")]


@router.get("/receivers/{name}")
async def receiver(
    request: Request,
    app_state: AppStateOf,
    person: LoggedIn,
    store: StoreOf,
    name: str,
    resent: Count = None,
    dismissed: Count = None,
) -> Response:
    """The page. Nothing is sent to the receiver. `resent` and `dismissed`: how many a form did."""
    view = await view_receiver(store, name, app_state.web.url)
    done: dict[str, Any] = {"resent": resent, "dismissed": dismissed}
    return app_state.pages.render(request, "receiver.html", person=person, view=view, **done)


@router.post("/receivers/{name}/resend", dependencies=ADMINISTRATORS)
async def resend(store: StoreOf, now: Now, name: str, cause: CauseKey) -> Response:
    """Resend all deliveries of a cause."""
    count = await resend_cause(store, name, cause, now)
    return RedirectResponse(f"/receivers/{quote(name, safe='')}?resent={count}#causes", 303)


@router.post("/receivers/{name}/dismiss", dependencies=ADMINISTRATORS)
async def dismiss(store: StoreOf, now: Now, name: str, cause: CauseKey) -> Response:
    """Dismiss all deliveries of a cause."""
    count = await dismiss_cause(store, name, cause, now)
    return RedirectResponse(f"/receivers/{quote(name, safe='')}?dismissed={count}#causes", 303)
