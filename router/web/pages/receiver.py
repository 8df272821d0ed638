"""The page of a receiver: its health by outcomes, and a preview of its texts."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from router.service.delivery.receiver_view import view_receiver
from router.web.deps import AppStateOf, LoggedIn, StoreOf

router = APIRouter(include_in_schema=False)


@router.get("/receivers/{name}")
async def receiver(
    request: Request, app_state: AppStateOf, person: LoggedIn, store: StoreOf, name: str
) -> Response:
    """The page. Nothing is sent to the receiver."""
    view = await view_receiver(store, name, app_state.web.url)
    return app_state.pages.render(request, "receiver.html", person=person, view=view)
