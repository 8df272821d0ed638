"""Tags as lists of them hold them."""

from typing import Annotated

from pydantic import Field

from router.domain.calls.tagging import TagColour
from router.web.api.models.base import Answer, Body

TagText = Annotated[str, Field(min_length=1, max_length=40)]


class CountedTag(Answer):
    """A tag, and how many calls have it."""

    name: str
    """The word."""

    calls: int
    """How many calls have it."""

    colour: TagColour | None
    """Its colour; null: it is not registered, so pages do not offer it."""

    digit: int | None
    """The key that sets it on a call's page, 1 to 9."""

    replaced_by: str | None
    """The tag that it is being renamed to; empty: it is being removed."""


class Registration(Body):
    """How pages show and offer a tag."""

    colour: TagColour = TagColour.GREY
    """Its colour."""

    digit: Annotated[int | None, Field(ge=1, le=9)] = None
    """The key that sets it on a call's page; another tag with this key loses it."""


class RegisteredTag(Answer):
    """A tag that is offered."""

    name: str
    """The word."""

    colour: TagColour
    """Its colour."""

    digit: int | None
    """The key that sets it on a call's page."""


class NewName(Body):
    """Another name for a tag."""

    name: TagText
    """The new name; if there is such a tag, both become one."""
