"""What a live board shows of open calls: who rings, who talks, and which calls cannot be true."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from router.domain.calls.call import Call, Direction, State
from router.domain.visitors.site import Destination

LONGEST_CALL = timedelta(hours=12)


class Doubt(StrEnum):
    """Why an open call may be over."""

    TOO_OLD = "too_old"  # longer than any call
    ASTERISK_GONE = "asterisk_gone"  # its Asterisk, or what reads its CEL log, does not answer


class Down(StrEnum):
    """How much of a destination is down."""

    ALL = "all"
    PARTLY = "partly"


@dataclass(frozen=True, slots=True, kw_only=True)
class DownDestination:
    """A destination with endpoints that cannot be called."""

    destination: Destination
    down: Down
    lines: Mapping[str, str]  # endpoint: reason


def doubt(call: Call, now: datetime, silent: Collection[str]) -> Doubt | None:
    """Why this call may be over; `silent` has the names of the Asterisks that are gone."""
    if now - call.arrived_at > LONGEST_CALL:
        return Doubt.TOO_OLD
    if call.id.rpartition("-")[0] in silent:
        return Doubt.ASTERISK_GONE
    return None


def talks_to(call: Call) -> str | None:
    """The endpoint of the person who talks to the caller now."""
    return call.last_answered_by or call.answered_by


def longest_wait(calls: Iterable[Call]) -> Call | None:
    """The caller who waits longest for an answer."""
    incoming = [call for call in calls if call.direction is Direction.INCOMING]
    ringing = [call for call in incoming if call.state is State.RINGING]
    return min(ringing, key=lambda call: call.arrived_at, default=None)


def down_destinations(
    destinations: Iterable[Destination], lines: Mapping[str, str]
) -> list[DownDestination]:
    """The destinations that these endpoints are a part of."""
    found = []
    for destination in destinations:
        phones = destination.phones()
        down = {name: lines[name] for name in sorted(phones & lines.keys())}
        if down:
            whole = len(down) == len(phones) and not destination.extensions()
            how = Down.PARTLY
            if whole:
                how = Down.ALL
            found.append(DownDestination(destination=destination, down=how, lines=down))
    return found
