"""Saved views of the list of calls."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from router.domain.calls.columns import Column, chosen
from router.domain.calls.saved_view import read_text
from router.service.calls.views import LONGEST_NAME, ViewChange
from router.web.api.models.base import Answer, Body

Text = Annotated[str, Field(max_length=4000)]


class SavedView(Answer):
    """A saved view: a name, a query and columns."""

    id: str
    """The view's id."""

    name: str
    """Its name."""

    query: str
    """Its filters and its period, as the address of the list of calls says them."""

    columns: tuple[Column, ...]
    """Its columns, in their order; none: each reader's own."""

    author: str | None
    """The login of its author; null: a program, or a user who was removed."""

    shared: bool
    """Whether the team sees it."""

    is_default: bool
    """Whether the list of calls opens with it."""

    created_at: datetime
    """When it was saved (UTC)."""

    changed_at: datetime
    """When it was last changed (UTC)."""


class ViewBody(Body):
    """A view of the team."""

    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
    """Its name."""

    query: Text = ""
    """Filters and period, e.g. `period=7d&ending=busy`; what is not known is left out."""

    columns: Annotated[tuple[Column, ...], Field(max_length=len(Column))] = ()
    """Columns, in their order; none: each reader's own."""

    is_default: bool = False
    """Open the list of calls with it."""

    def change(self) -> ViewChange:
        """The same for the service."""
        return ViewChange(
            name=self.name,
            query=read_text(self.query),
            columns=chosen(self.columns),
            shared=True,
            is_default=self.is_default,
        )
