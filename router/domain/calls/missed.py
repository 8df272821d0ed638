"""Missed callers: a task begins with a missed call and ends with a contact, whichever side rang.

A task is a function of its events alone: their order of arrival and repetitions change nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from router.domain.calls.missed_events import Event, EventKind, RungCall
from router.domain.calls.opening_hours import waits_from

SOON = timedelta(minutes=20)
SAME_DAY = timedelta(hours=23)
LAPSES = timedelta(days=30)  # without another call
CLOSING_TAGS = frozenset({"not needed", "spam"})
_ORDER = {kind: place for place, kind in enumerate(EventKind)}  # of the same moment


class MissedState(StrEnum):
    """Where a task is."""

    WAITING = "waiting"
    NOT_ANSWERED = "not_answered"  # called back in vain; still to be done
    NOT_REACHED = "not_reached"  # not within 23 hours, or given up
    CALLED_BACK_SOON = "called_back_soon"  # within 20 minutes
    CALLED_BACK = "called_back"  # within 23 hours
    CALLED_BACK_LATE = "called_back_late"
    RANG_AGAIN = "rang_again"  # the caller rang again and got through
    NOT_NEEDED = "not_needed"


CONTACTED = frozenset(
    {
        MissedState.CALLED_BACK_SOON,
        MissedState.CALLED_BACK,
        MissedState.CALLED_BACK_LATE,
        MissedState.RANG_AGAIN,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """The calls of one caller from the first missed one to the contact."""

    first: Event
    last: Event  # the last missed call
    keys: tuple[str, ...]  # the missed calls
    calls: int = 1
    short: bool = False  # all of them
    tries: int = 0  # calls back that were not answered
    tried_at: datetime | None = None
    closing: Event | None = None
    latest_at: datetime  # of the last event


def advance(episode: Episode | None, event: Event) -> Episode | None:
    """The episode after one more event, which is later than all before; a new one if this ended."""
    if episode is None or episode.closing or event.at - episode.last.at > LAPSES:
        if event.kind is EventKind.MISSED:
            return _begun(event)
        return episode
    later = replace(episode, latest_at=event.at)
    if event.kind is EventKind.MISSED:
        return replace(
            later,
            last=event,
            keys=(*episode.keys, event.key),
            calls=episode.calls + 1,
            short=episode.short and event.short,
        )
    if event.kind is EventKind.NOT_ANSWERED:
        return replace(later, tries=episode.tries + 1, tried_at=event.at)
    return replace(later, closing=event)


def _begun(event: Event) -> Episode:
    return Episode(
        first=event, last=event, keys=(event.key,), short=event.short, latest_at=event.at
    )


def episodes(events: Iterable[Event]) -> Iterator[Episode]:
    """The episodes of one caller, the oldest first; events in any order, and any of them twice."""
    once = {(event.kind, event.key): event for event in events}
    ordered = sorted(once.values(), key=lambda event: (event.at, _ORDER[event.kind], event.key))
    episode: Episode | None = None
    for event in ordered:
        after = advance(episode, event)
        if episode is not None and after is not None and after.first != episode.first:
            yield episode
        episode = after
    if episode is not None:
        yield episode


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedCaller:
    """A caller whom the company has to call back: one task for all their missed calls of a site."""

    id: str  # of the first missed call
    site_id: str | None
    caller: str | None  # E.164; None: cannot be called back
    caller_raw: str
    caller_name: str
    withheld: bool
    number: str | None  # the tracking number called last
    since: datetime  # the first missed call
    waits_from: datetime  # the same, or the next opening
    last_at: datetime  # the last missed call
    last_call_id: str
    calls: int
    short: bool  # hung up within 15 seconds each time
    outside_hours: bool
    tries: int = 0
    tried_at: datetime | None = None
    closed_at: datetime | None = None
    closed_as: MissedState | None = None
    closed_by: str | None = None
    contact_call_id: str | None = None  # the call in which both sides talked
    latest_at: datetime
    taken_by: str | None = None
    taken_at: datetime | None = None
    note: str = ""
    reports: tuple[Event, ...] = ()  # by people and programs

    def state(self, now: datetime) -> MissedState:
        """The state at this moment."""
        if self.closed_as:
            return self.closed_as
        if now - self.last_at > LAPSES:
            return MissedState.NOT_REACHED
        if self.tries:
            return MissedState.NOT_ANSWERED
        late = now - self.waits_from > SAME_DAY
        if late:
            return MissedState.NOT_REACHED
        return MissedState.WAITING

    @property
    def seconds_to_contact(self) -> float | None:
        """From the first missed call, or the next opening, to the contact."""
        if self.closed_at is None or self.closed_as not in CONTACTED:
            return None
        return max(0.0, (self.closed_at - self.waits_from).total_seconds())

    def episode(self) -> Episode:
        """The episode, if it is still open."""
        first = Event(kind=EventKind.MISSED, at=self.since, key=self.id)
        last = Event(kind=EventKind.MISSED, at=self.last_at, key=self.last_call_id)
        return Episode(
            first=first,
            last=last,
            keys=(self.id, self.last_call_id),
            calls=self.calls,
            short=self.short,
            tries=self.tries,
            tried_at=self.tried_at,
            latest_at=self.latest_at,
        )


def with_episode(task: MissedCaller, episode: Episode) -> MissedCaller:
    """The task with what its episode says."""
    start = waits_from(task.site_id, episode.first.at)
    changed = replace(
        task,
        since=episode.first.at,
        waits_from=start,
        outside_hours=start > episode.first.at,
        last_at=episode.last.at,
        last_call_id=episode.last.key,
        calls=episode.calls,
        short=episode.short,
        tries=episode.tries,
        tried_at=episode.tried_at,
        closed_at=None,
        closed_as=None,
        closed_by=None,
        contact_call_id=None,
        latest_at=episode.latest_at,
    )
    if episode.closing is None:
        return changed
    return _closed(changed, episode.closing, start)


def _closed(task: MissedCaller, closing: Event, start: datetime) -> MissedCaller:
    contact = None
    if closing.by_call:
        contact = closing.key
    return replace(
        task,
        closed_at=closing.at,
        closed_as=closed_as(closing, start),
        closed_by=closing.by or None,
        contact_call_id=contact,
    )


def closed_as(closing: Event, start: datetime) -> MissedState:
    """The state of a task that this event closed; the caller waits since `start`."""
    match closing.kind:
        case EventKind.RANG_AGAIN:
            return MissedState.RANG_AGAIN
        case EventKind.NOT_NEEDED:
            return MissedState.NOT_NEEDED
        case EventKind.GIVEN_UP:
            return MissedState.NOT_REACHED
    waited = closing.at - start
    if waited <= SOON:
        return MissedState.CALLED_BACK_SOON
    if waited <= SAME_DAY:
        return MissedState.CALLED_BACK
    return MissedState.CALLED_BACK_LATE


def new_task(episode: Episode, call: RungCall) -> MissedCaller:
    """The task of an episode; `call` is its last missed call."""
    task = MissedCaller(
        id=episode.first.key,
        site_id=call.site_id,
        caller=call.caller,
        caller_raw=call.caller_raw,
        caller_name=call.caller_name,
        withheld=call.withheld,
        number=call.number,
        since=episode.first.at,
        waits_from=episode.first.at,
        last_at=episode.last.at,
        last_call_id=episode.last.key,
        calls=episode.calls,
        short=episode.short,
        outside_hours=False,
        latest_at=episode.latest_at,
    )
    return with_episode(task, episode)
