"""Saved views and columns: forms of the page of calls."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from router.domain.access import Person
from router.domain.calls.columns import Column, chosen, moved, read_columns, written_columns
from router.domain.calls.saved_view import SavedView
from router.errors import InvalidInput
from router.service.calls.views import (
    ViewChange,
    change_view,
    get_view,
    remove_view,
    save_view,
)
from router.web.api.models.base import Moment
from router.web.deps import AppStateOf, LoggedIn, Now, StoreOf, logged_in, same_origin
from router.web.pages.call_list import Shown
from router.web.pages.list_state import COLUMNS_COOKIE, editor_of, query_in

router = APIRouter(include_in_schema=False)
SAME = [Depends(same_origin)]
YEAR = 31_536_000  # seconds
Text = Annotated[str, Form(max_length=4000)]
Name = Annotated[str, Form(max_length=400)]
Flag = Annotated[bool, Form()]
Seen = Annotated[Moment, Form()]


def _opened(view: SavedView) -> Response:
    return RedirectResponse(f"/calls?view={view.id}", 303)


@router.post("/views", dependencies=SAME)
async def save(
    request: Request,
    app_state: AppStateOf,
    store: StoreOf,
    person: LoggedIn,
    now: Now,
    name: Name = "",
    query: Text = "",
    columns: Text = "",
    shared: Flag = False,
    is_default: Flag = False,
) -> Response:
    """Save what the list shows as a new view."""
    wanted = ViewChange(
        name=name,
        query=query_in(query),
        columns=read_columns(columns),
        shared=shared,
        is_default=is_default,
    )
    try:
        return _opened(await save_view(store, editor_of(person), wanted, now=now))
    except InvalidInput:
        return app_state.pages.problem(request, "unnamed_view", status=422, headers={})


@router.post("/views/{view_id}/query", dependencies=SAME)
async def save_query(
    store: StoreOf,
    person: LoggedIn,
    now: Now,
    view_id: str,
    seen: Seen,
    query: Text = "",
    columns: Text = "",
) -> Response:
    """Save what the list shows in the open view."""
    wanted = ViewChange(query=query_in(query), columns=read_columns(columns))
    return _opened(await change_view(store, view_id, editor_of(person), wanted, now=now, seen=seen))


@router.post("/views/{view_id}", dependencies=SAME)
async def change(
    request: Request,
    app_state: AppStateOf,
    store: StoreOf,
    person: LoggedIn,
    now: Now,
    view_id: str,
    seen: Seen,
    name: Name = "",
    shared: Flag = False,
    is_default: Flag = False,
) -> Response:
    """Rename and share a view."""
    default = await _default(store, person, view_id, is_default)
    wanted = ViewChange(name=name, shared=shared or default is True, is_default=default)
    try:
        return _opened(
            await change_view(store, view_id, editor_of(person), wanted, now=now, seen=seen)
        )
    except InvalidInput:
        return app_state.pages.problem(request, "unnamed_view", status=422, headers={})


async def _default(store: StoreOf, person: Person, view_id: str, asked: bool) -> bool | None:
    """The form of others than administrators does not say whether a view is the default."""
    editor = editor_of(person)
    if editor.is_administrator:
        return asked
    view = await get_view(store, view_id, editor)
    if view.is_default:
        return True
    return None


@router.post("/views/{view_id}/delete", dependencies=SAME)
async def delete(store: StoreOf, person: LoggedIn, view_id: str) -> Response:
    """Remove a view."""
    await remove_view(store, view_id, editor_of(person))
    return RedirectResponse("/calls?view=all", 303)


@router.post("/calls/columns", dependencies=[*SAME, Depends(logged_in)])
async def choose_columns(
    query: Text = "",
    view: Annotated[str, Form(max_length=40)] = "",
    column: Annotated[list[Column] | None, Form(max_length=len(Column))] = None,
    move: Annotated[str, Form(pattern=r"^[a-z_]+\.(up|down)$|^$")] = "",
) -> Response:
    """Choose the columns: of an open view in its address, else in a cookie of this browser. `move`
    is for browsers without scripts.
    """
    columns = chosen(column or ())
    name, _, way = move.partition(".")
    if name in set(columns):
        columns = moved(columns, Column(name), -1 if way == "up" else 1)

    of_view = bool(view) and view != "all"
    shown = Shown(query=query_in(query), columns=columns, view=view or None, written=of_view)
    answer = RedirectResponse(shown.to("/calls"), 303)
    if not of_view:
        answer.set_cookie(
            COLUMNS_COOKIE, written_columns(columns), max_age=YEAR, httponly=True, samesite="lax"
        )
    return answer
