"""Comments on calls as the API holds them."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from router.domain.calls.comment import LONGEST
from router.domain.calls.tagging import LONGEST_MOMENT
from router.web.api.models.base import Answer, Body, Moment

Text = Annotated[str, Field(min_length=1, max_length=LONGEST)]


class Comment(Answer):
    """What a person or a program wrote about a call."""

    id: str
    """The comment's id."""

    call_id: str
    """The call."""

    author: str
    """The login, or `api:` and the token's name."""

    text: str
    """The text, as it was written."""

    at: datetime
    """When it was written (UTC)."""

    at_seconds: float | None
    """A moment of the recording, in seconds; null: the comment is on the whole call."""

    edited_at: datetime | None
    """When it was last edited (UTC)."""


class NewComment(Body):
    """A comment that everyone may read."""

    text: Text
    """The text; up to 4,000 characters."""

    at_seconds: Annotated[float | None, Field(ge=0, le=LONGEST_MOMENT)] = None
    """A moment of the recording, in seconds."""


class EditedComment(Body):
    """Another text for a comment."""

    text: Text
    """The new text."""

    edited_at: Moment | None
    """`edited_at` of the comment that is changed: one that was edited since (UTC) stays."""
