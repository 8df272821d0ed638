"""Views of the list of calls that the team shares."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from router.domain.access import Scope
from router.domain.calls.saved_view import Editor
from router.errors import Conflict, NotAllowed, NotFound
from router.service.calls import views
from router.web.api.models.views import SavedView, ViewBody
from router.web.deps import NotLoggedIn, Now, StoreOf, needs
from router.web.error_handlers import answers

router = APIRouter(
    prefix="/views", tags=["views"], responses=answers(NotFound, Conflict, NotLoggedIn, NotAllowed)
)
READ = [Depends(needs(Scope.CALLS_READ))]
WRITE = [Depends(needs(Scope.CONFIG_WRITE))]
PROGRAM = Editor(login=None, is_administrator=True)
ViewId = Annotated[str, Path(description="The view's id.")]


@router.get("", dependencies=READ)
async def list_views(store: StoreOf) -> list[SavedView]:
    """The views that the team shares, by name."""
    return [SavedView.of(view) for view in await views.list_views(store, PROGRAM)]


@router.get("/{view_id}", dependencies=READ)
async def get_view(store: StoreOf, view_id: ViewId) -> SavedView:
    """One view."""
    return SavedView.of(await views.get_view(store, view_id, PROGRAM))


@router.post("", status_code=201, dependencies=WRITE)
async def add_view(store: StoreOf, now: Now, body: ViewBody) -> SavedView:
    """Add a view."""
    return SavedView.of(await views.save_view(store, PROGRAM, body.change(), now=now))


@router.put("/{view_id}", dependencies=WRITE)
async def change_view(store: StoreOf, now: Now, view_id: ViewId, body: ViewBody) -> SavedView:
    """Replace a view; omitted fields get their defaults."""
    return SavedView.of(await views.change_view(store, view_id, PROGRAM, body.change(), now=now))


@router.delete("/{view_id}", status_code=204, dependencies=WRITE)
async def remove_view(store: StoreOf, view_id: ViewId) -> None:
    """Remove a view."""
    await views.remove_view(store, view_id, PROGRAM)
