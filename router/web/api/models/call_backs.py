"""Calls back, and who listened in."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from router.domain.calls.call_back import CallBackResult, CallBackState
from router.web.api.models.base import Answer, Body


class CallBackAsked(Body):
    """Who calls back."""

    by: Annotated[str, Field(min_length=1, max_length=64)]
    """Login of the user whose phone rings first."""


class CallBack(Answer):
    """A call back."""

    id: str
    """Its id."""

    call_id: str
    """The call that it answers."""

    task_id: str | None
    """The task of the missed caller, if it was begun there."""

    number: str
    """The customer's number (E.164)."""

    by: str
    """Login of the user."""

    at: datetime
    """When it was asked for (UTC)."""

    state: CallBackState
    """`ringing` is the user's phone, `calling` the customer's."""

    result: CallBackResult | None
    """What came of it, when it has ended."""

    reason: str
    """SIP code of a phone or trunk that refused; may be empty."""

    made_call_id: str | None
    """The call to the customer, once it was begun."""


class Listening(Answer):
    """A user listened in on a call."""

    id: str
    """Its id."""

    call_id: str
    """The call."""

    by: str
    """Login of the user."""

    at: datetime
    """When it began (UTC); written before the first sound."""

    ended_at: datetime | None
    """When it ended (UTC); null while it goes on."""
