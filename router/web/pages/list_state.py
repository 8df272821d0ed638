"""What a reader's list shows, by its address, the open view and the columns that they chose."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fastapi import Request

from router.domain.access import Person, Role
from router.domain.calls.call_query import CallQuery
from router.domain.calls.columns import DEFAULT, Columns, read_columns
from router.domain.calls.saved_view import BUILT_IN, Editor, SavedView, read_text
from router.service.calls.views import default_of, list_views, query_of
from router.service.ports import Store
from router.web.filter_words import VIEWS
from router.web.pages.call_list import Shown, read_query
from router.web.words import Speech

ALL = "all"  # names no view, where a default would open
COLUMNS_COOKIE = "ringtrace_columns"


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewLink:
    """A view in the row above the list."""

    id: str
    name: str
    is_open: bool
    is_shared: bool = False
    is_default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ListState:
    """A list with the views around it."""

    shown: Shown
    links: tuple[ViewLink, ...]
    has_default: bool
    saved: SavedView | None = None  # the open view, unless it is built in
    may_change: bool = False
    discard: str | None = None  # address of the open view as it was saved; None: unchanged
    open_name: str | None = None


def editor_of(person: Person) -> Editor:
    """The person as an editor of views."""
    return Editor(login=person.login, is_administrator=person.role is Role.ADMINISTRATOR)


def shown_of(request: Request) -> Shown:
    """The query and the columns of an address, without its view: for what follows a list."""
    written = read_columns(request.query_params.get("columns"))
    return Shown(
        query=read_query(request.query_params),
        columns=written or own_columns(request),
        written=bool(written),
    )


def own_columns(request: Request) -> Columns:
    """The columns that this reader chose in this browser."""
    return read_columns(request.cookies.get(COLUMNS_COOKIE)) or DEFAULT


async def read_state(request: Request, store: Store, person: Person, speech: Speech) -> ListState:
    """The list that an address asks for. `view` alone is the view as it was saved; beside anything
    else the address counts, and `view` says only what it was made from. Without a query it is the
    team's default.
    """
    views = await list_views(store, editor_of(person))
    default, key = default_of(views), request.query_params.get("view")
    if not request.url.query and default is not None:
        key = default.id
    saved = next((view for view in views if view.id == key), None)
    columns = own_columns(request)
    if saved:
        query, columns = query_of(saved), saved.columns or columns
    elif key in BUILT_IN:
        query = read_text(BUILT_IN[key])
    else:
        return _state(_without_view(request, default), views, speech)

    as_saved = Shown(query=query, columns=columns, view=key, written=True)
    if set(request.query_params) <= {"view", "cursor", "rows"}:
        return _state(as_saved, views, speech, saved=saved, person=person)

    here = shown_of(request)
    if here.written:
        columns = here.columns

    shown = replace(here, columns=columns, view=key, written=True)
    discard = None
    if shown != as_saved:
        discard = f"/calls?view={key}"

    return _state(shown, views, speech, saved=saved, person=person, discard=discard)


def _without_view(request: Request, default: SavedView | None) -> Shown:
    """The list of an address that names no view: where the team has a default, it is all calls."""
    shown = shown_of(request)
    if default:
        return replace(shown, view=ALL)
    return replace(shown, view=None)


def _state(
    shown: Shown,
    views: Sequence[SavedView],
    speech: Speech,
    *,
    saved: SavedView | None = None,
    person: Person | None = None,
    discard: str | None = None,
) -> ListState:
    built_in = []
    for key, name in VIEWS.items():
        built_in.append(ViewLink(id=key, name=speech.gettext(name), is_open=key == shown.view))

    kept = []
    for view in views:
        kept.append(
            ViewLink(
                id=view.id,
                name=view.name,
                is_open=view.id == shown.view,
                is_shared=view.shared,
                is_default=view.is_default,
            )
        )

    links = (*built_in, *kept)
    return ListState(
        shown=shown,
        links=links,
        has_default=default_of(views) is not None,
        saved=saved,
        may_change=bool(saved and person and editor_of(person).may_change(saved)),
        discard=discard,
        open_name=next((link.name for link in links if link.is_open), None),
    )


def query_in(text: str) -> CallQuery:
    """The query that a form keeps as text."""
    return read_text(text[:4000])
