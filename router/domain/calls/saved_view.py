"""Saved views of the list of calls: a name, a query and columns."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, urlencode

from router.domain.calls.call_query import CallQuery
from router.domain.calls.columns import Columns


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedView:
    """A view that a person or a program saved."""

    id: str
    name: str
    query: str  # as an address says it: a period moves with the reader's day, fixed dates stay
    columns: Columns = ()  # none: the reader's own
    author: str | None  # login; None: a program, or a person who was removed
    shared: bool = False  # with the team
    is_default: bool = False  # what the list of calls opens with
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    """Who asks for a view."""

    login: str | None  # None: a program
    is_administrator: bool = False

    def may_see(self, view: SavedView) -> bool:
        """Its author and, if it is shared, the team."""
        return view.shared or self.is_author(view)

    def may_change(self, view: SavedView) -> bool:
        """Its author and, if it is shared, administrators."""
        return self.is_author(view) or (view.shared and self.is_administrator)

    def is_author(self, view: SavedView) -> bool:
        """Whether they saved it."""
        return self.login is not None and view.author == self.login


def read_text(text: str) -> CallQuery:
    """The query that a view keeps as text."""
    return CallQuery.read(parse_qsl(text, keep_blank_values=True))


def written_text(query: CallQuery) -> str:
    """A query as the text that a view keeps."""
    return urlencode(query.pairs())


# Views that every installation has, by id: what each is called is a matter of the pages.
BUILT_IN = {
    "missed-today": "period=today&tag=missed",
    "not-reviewed": "period=7d&ending=answered&reviewed=no",
    "long-silence": "period=7d&silence_from=30",
    "new-callers": "period=7d&first=yes",
}
