"""Saved views: mine, shared with the team, and the team's default."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from router.domain.calls.call_query import CallQuery
from router.domain.calls.columns import Columns
from router.domain.calls.saved_view import Editor, SavedView, read_text, written_text
from router.domain.ids import new_id
from router.domain.text import one_line, storable
from router.errors import Conflict, InvalidInput, NotAllowed, NotFound
from router.service.ports import Session, Store

LONGEST_NAME = 60
MOST_VIEWS = 200  # of one author


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewChange:
    """New values of a view; None leaves one as it is."""

    name: str | None = None
    query: CallQuery | None = None
    columns: Columns | None = None
    shared: bool | None = None
    is_default: bool | None = None


async def list_views(store: Store, editor: Editor) -> list[SavedView]:
    """The views that this person or program may see: their own and the team's, by name."""
    async with store.read() as session:
        shared = await session.find(SavedView, shared=True)
        own = await _own_views(session, editor)
    found = {view.id: view for view in (*shared, *own)}
    return sorted(found.values(), key=lambda view: (view.name.casefold(), view.id))


async def get_view(store: Store, view_id: str, editor: Editor) -> SavedView:
    """One view. Raises `NotFound`, also for another person's own view."""
    async with store.read() as session:
        return await _visible(session, view_id, editor)


async def save_view(
    store: Store, editor: Editor, wanted: ViewChange, *, now: datetime
) -> SavedView:
    """Save a new view. Raises `InvalidInput`, `Conflict`, and `NotAllowed` for a default by others
    than administrators.
    """
    view = SavedView(
        id=new_id(now),
        name=_name(wanted.name or ""),
        query=written_text(wanted.query or CallQuery()),
        columns=wanted.columns or (),
        author=editor.login,
        shared=bool(wanted.shared or wanted.is_default),
        created_at=now,
        changed_at=now,
    )
    async with store.write() as session:
        await _check_number(session, editor)
        await session.add(view)
        if wanted.is_default:
            view = await _make_default(session, view, editor)
    return view


async def change_view(
    store: Store,
    view_id: str,
    editor: Editor,
    wanted: ViewChange,
    *,
    now: datetime,
    seen: datetime | None = None,
) -> SavedView:
    """Change a view. Raises `NotFound`, `NotAllowed`, and `Conflict` if it was changed after the
    version that was `seen`.
    """
    async with store.write() as session:
        view = await _changeable(session, view_id, editor)
        if seen is not None and view.changed_at != seen:
            raise Conflict("Another person has changed this view: open it again.")

        changed = _with_wanted(replace(view, changed_at=now), wanted)
        if wanted.is_default and not view.is_default:
            return await _make_default(session, replace(changed, shared=True), editor)
        if wanted.is_default is False or not changed.shared:
            changed = _without_default(changed, editor)
        await session.change(changed)
    return changed


async def remove_view(store: Store, view_id: str, editor: Editor) -> None:
    """Remove a view. Raises `NotFound` and `NotAllowed`."""
    async with store.write() as session:
        view = await _changeable(session, view_id, editor)
        _without_default(view, editor)
        await session.remove(SavedView, view.id)


async def forget_author(session: Session, login: str) -> None:
    """A person is removed: their own views go, those that they shared stay with the team."""
    for view in await session.find(SavedView, author=login):
        if view.shared:
            await session.change(replace(view, author=None))
        else:
            await session.remove(SavedView, view.id)


def default_of(views: Sequence[SavedView]) -> SavedView | None:
    """The team's default, if there is one."""
    return next((view for view in views if view.is_default), None)


async def _visible(session: Session, view_id: str, editor: Editor) -> SavedView:
    view = await session.peek(SavedView, view_id)
    if view is None or not editor.may_see(view):
        raise NotFound(f"There is no view '{view_id[:40]}'.")
    return view


async def _changeable(session: Session, view_id: str, editor: Editor) -> SavedView:
    view = await _visible(session, view_id, editor)
    if not editor.may_change(view):
        raise NotAllowed("Only its author and administrators may change a shared view.")
    return view


async def _make_default(session: Session, view: SavedView, editor: Editor) -> SavedView:
    """Make it the only default."""
    if not editor.is_administrator:
        raise NotAllowed("Only an administrator may choose the team's default.")
    for other in await session.find(SavedView, is_default=True):
        await session.change(replace(other, is_default=False))
    view = replace(view, is_default=True)
    await session.change(view)
    return view


def _without_default(view: SavedView, editor: Editor) -> SavedView:
    if view.is_default and not editor.is_administrator:
        raise NotAllowed("This view is the team's default: only an administrator may change that.")
    return replace(view, is_default=False)


def _with_wanted(view: SavedView, wanted: ViewChange) -> SavedView:
    if wanted.name is not None:
        view = replace(view, name=_name(wanted.name))
    if wanted.query is not None:
        view = replace(view, query=written_text(wanted.query))
    if wanted.columns is not None:
        view = replace(view, columns=wanted.columns)
    if wanted.shared is not None:
        view = replace(view, shared=wanted.shared)
    return view


async def _own_views(session: Session, editor: Editor) -> list[SavedView]:
    if not editor.login:
        return []
    return await session.find(SavedView, author=editor.login)


async def _check_number(session: Session, editor: Editor) -> None:
    own = await _own_views(session, editor)
    if len(own) >= MOST_VIEWS:
        raise Conflict(f"You have {MOST_VIEWS} views: remove one first.")


def _name(text: str) -> str:
    name = one_line(storable(text), LONGEST_NAME)
    if not name:
        raise InvalidInput("Give the view a name.")
    return name


def query_of(view: SavedView) -> CallQuery:
    """What a view shows."""
    return read_text(view.query)
