"""Missed callers."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field

from router.domain.calls import missed as domain
from router.domain.calls.missed import MissedState
from router.web.api.models.base import Answer, Body, Moment

Login = Annotated[str, Field(min_length=1, max_length=80)]


class MissedCaller(Answer):
    """A caller whom the company missed: one task for all their missed calls of a site."""

    id: str
    """The task's id: that of the first missed call."""

    state: MissedState
    """`waiting`, `not_answered` (called back in vain) and `not_reached` (not within 23 hours; given
    up if `closed_at` is set) are to be done; `called_back_soon` is within 20 minutes,
    `called_back` within 23 hours.
    """

    site_id: str | None
    """The site."""

    caller: str | None
    """The caller's number (E.164); null: withheld or unreadable, cannot be called back."""

    caller_raw: str
    """The caller's number as the trunk sent it."""

    caller_name: str
    """The caller's name, if the trunk sent one."""

    withheld: bool
    """The caller withheld the number."""

    number: str | None
    """The tracking number called last (E.164)."""

    since: datetime
    """The first missed call (UTC)."""

    waits_from: datetime
    """From when on the time to contact counts (UTC): `since`, or the next opening."""

    last_at: datetime
    """The last missed call (UTC)."""

    last_call_id: str
    """The last missed call's id."""

    calls: int
    """How many missed calls."""

    short: bool
    """The caller hung up within 15 seconds each time."""

    outside_hours: bool
    """The caller rang outside opening hours."""

    tries: int
    """Calls back that were not answered."""

    tried_at: datetime | None
    """The last of them (UTC)."""

    closed_at: datetime | None
    """When the task was closed (UTC)."""

    closed_by: str | None
    """The person or token that closed it; null: a call did."""

    contact_call_id: str | None
    """The call in which the caller got through."""

    seconds_to_contact: float | None
    """Seconds from `waits_from` to the contact; null: no contact."""

    taken_by: str | None
    """The person who calls back."""

    taken_at: datetime | None
    """When the person took the task (UTC)."""

    note: str
    """The note."""

    @classmethod
    def of_task(cls, task: domain.MissedCaller, now: datetime) -> Self:
        """The same from the record, with its state at this moment."""
        names = [name for name in cls.model_fields if name != "state"]
        return cls.of({name: getattr(task, name) for name in names} | {"state": task.state(now)})


class MissedList(Answer):
    """Missed callers."""

    missed: tuple[MissedCaller, ...]
    """Those to be called back, the longest waiting first; or those that are done, newest first."""

    next_cursor: str | None
    """Cursor of the next page; null at the end. Open tasks come at once, at most 500."""


class CallBack(Body):
    """A call back by the company's own telephone system, or what came of it."""

    answered: Annotated[bool, Field(strict=True)]
    """Whether the caller answered; this closes the task."""

    at: Moment | None = None
    """When it was made, with its time zone, e.g. UTC; now, if it is left out."""

    by: Login | None = None
    """Who called; the token's name, if it is left out."""

    key: Annotated[str | None, Field(min_length=1, max_length=120)] = None
    """The call's id there: a report that arrives twice counts once."""


class Decision(Body):
    """That no call back is needed, or that the caller cannot be reached."""

    reason: Literal["not_needed", "given_up"]
    """Why the task is closed."""

    by: Login | None = None
    """Who decided; the token's name, if it is left out."""


class Taker(Body):
    """Who calls back."""

    by: Login
    """The person's login or name."""


class Note(Body):
    """A note."""

    note: Annotated[str, Field(max_length=4000)]
    """The text; empty removes it."""
