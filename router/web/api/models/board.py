"""The live board."""

from datetime import datetime

from router.domain.calls.board import Doubt, Down
from router.domain.calls.call import State
from router.web.api.models.base import Answer


class OpenCall(Answer):
    """A call that has not ended."""

    call_id: str
    """The call's id."""

    state: State
    """`ringing` or `talking`."""

    caller: str | None
    """The caller's number (E.164)."""

    caller_name: str
    """The caller's name, if the trunk sent one."""

    site_id: str | None
    """The site."""

    arrived_at: datetime
    """When it arrived (UTC)."""

    answered_at: datetime | None
    """When a person answered (UTC)."""

    talks_to: str | None
    """The endpoint of the person who talks to the caller."""

    source: str | None
    """The caller's source."""

    campaign: str | None
    """The campaign of the visit named."""

    probability: float | None
    """The probability of the visit named."""

    doubt: Doubt | None
    """Why the call is probably over; null: it is not."""


class DownDestination(Answer):
    """A destination that cannot be called, or only in part."""

    destination_id: str
    """The destination."""

    down: Down
    """`all` or `partly`."""

    lines: dict[str, str]
    """Its endpoints that are down, each with the reason: not_loaded, not_registered, no_phone,
    unreachable.
    """


class Board(Answer):
    """What happens now, and the sums of the day."""

    calls: tuple[OpenCall, ...]
    """Open calls, the oldest first."""

    down: tuple[DownDestination, ...]
    """Destinations that are down."""

    silent: tuple[str, ...]
    """Asterisks without news for a minute."""

    since: datetime
    """From when on the sums count (UTC)."""

    ended: int
    """Calls that arrived since then and have ended."""

    answered: int
    """Answered calls of these."""

    missed: int
    """Missed calls of these, without callers who hung up within 15 seconds."""

    mean_wait_seconds: float | None
    """Mean wait of answered calls, in seconds."""
