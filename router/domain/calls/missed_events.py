"""What happened between a caller and the company, as tasks of missed callers need it."""

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from router.domain.calls.call import Direction, Ending, State

LEAST_TALK = 5.0  # seconds of a contact: a forged caller ID that rings off closes no task
SHORT = 15.0  # seconds: who hangs up before that may have dialled by mistake

_HUNG_UP = {Ending.ABANDONED_EARLY, Ending.ABANDONED_RINGING, Ending.ABANDONED}
MISSED_ENDINGS = frozenset(
    {
        *_HUNG_UP,
        Ending.NO_ANSWER,
        Ending.BUSY,
        Ending.REFUSED,
        Ending.UNREACHABLE,
        Ending.LOST_IN_TRANSFER,
    }
)

TRIED_ENDINGS = frozenset({Ending.NO_ANSWER, Ending.BUSY, Ending.REFUSED})  # of calls back


class EventKind(StrEnum):
    """What happened between a caller and the company."""

    MISSED = "missed"
    RANG_AGAIN = "rang_again"  # the caller rang, and a person answered
    REACHED = "reached"  # the company rang, and the caller answered
    NOT_ANSWERED = "not_answered"  # the company rang, and the caller did not answer
    NOT_NEEDED = "not_needed"  # a person decided that no call back is needed
    GIVEN_UP = "given_up"  # a person decided that the caller cannot be reached


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, once: the same kind and key again is the same event."""

    kind: EventKind
    at: datetime
    key: str  # the call's id, or that of a report
    by: str = ""  # the person or program that reported it
    short: bool = False  # hung up within 15 seconds

    @property
    def by_call(self) -> bool:
        """Whether a call that Ringtrace saw made this contact; reports have keys like by:…"""
        rang = self.kind is EventKind.RANG_AGAIN
        return rang or (self.kind is EventKind.REACHED and not self.key.startswith("by:"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RungCall:
    """What a task needs to know of a call."""

    id: str
    site_id: str | None
    caller: str | None
    caller_raw: str
    caller_name: str
    withheld: bool
    number: str | None
    arrived_at: datetime
    answered_at: datetime | None
    state: State
    ending: Ending | None
    wait_seconds: float
    talk_seconds: float = LEAST_TALK
    direction: Direction = Direction.INCOMING
    started_by: str | None = None
    # when it arrived by the clock as it was set since; None: it was not set
    steady_at: datetime | None = None

    @classmethod
    def of(cls, call: Any) -> Self:
        """The same of a `Call`, or of its row."""
        known = [field.name for field in fields(cls) if hasattr(call, field.name)]
        return cls(**{name: getattr(call, name) for name in known})

    @property
    def rang_at(self) -> datetime:
        """When it arrived, by today's clock."""
        return self.steady_at or self.arrived_at

    def _steady(self, at: datetime) -> datetime:
        return at + (self.rang_at - self.arrived_at)

    @property
    def is_brief(self) -> bool:
        """Whether the caller hung up as soon as a person answered."""
        came = self.direction == Direction.INCOMING and self.answered_at is not None
        return came and self.state == State.ENDED and self.talk_seconds < LEAST_TALK

    def event(self) -> Event | None:
        """What this call is to a task; None while it rings, and for a call that left no trace."""
        ending = None
        if self.ending:
            ending = Ending(self.ending)
        if self.direction == Direction.OUTGOING:
            return self._called_back(ending)
        lost = ending is Ending.LOST_IN_TRANSFER
        if self.answered_at and not lost:
            if self.is_brief:
                return None
            return Event(kind=EventKind.RANG_AGAIN, at=self._steady(self.answered_at), key=self.id)
        if ending not in MISSED_ENDINGS and ending is not Ending.CUT:
            return None
        short = ending in _HUNG_UP and self.wait_seconds < SHORT
        return Event(kind=EventKind.MISSED, at=self.rang_at, key=self.id, short=short)

    def _called_back(self, ending: Ending | None) -> Event | None:
        by = self.started_by or ""
        if self.answered_at:
            return Event(
                kind=EventKind.REACHED, at=self._steady(self.answered_at), key=self.id, by=by
            )
        if ending not in TRIED_ENDINGS:
            return None
        return Event(kind=EventKind.NOT_ANSWERED, at=self.rang_at, key=self.id, by=by)
