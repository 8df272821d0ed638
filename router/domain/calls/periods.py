"""The periods of a call: wait, talk, hold and transfer, and their sums. The CEL log says who shared
a bridge with the caller. It has no event for hold; the agent receives it on the manager
interface, so holds are subtracted from the talk afterwards.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from router.domain.calls.call import Call, Hold, Period, PeriodKind

# while Asterisk moves channels between bridges no person is there: not a period
BLINK = timedelta(seconds=0.5)


@dataclass(frozen=True, slots=True)
class Mark:
    """From this moment on: who is with the caller, and whether they wait after a transfer."""

    at: datetime
    channels: tuple[str, ...]
    answered: bool
    transferred: bool

    @property
    def kind(self) -> PeriodKind:
        """What the caller is doing."""
        if not self.answered:
            return PeriodKind.WAIT
        if self.channels:
            return PeriodKind.TALK
        if self.transferred:
            return PeriodKind.TRANSFER
        return PeriodKind.HOLD


def periods(
    marks: Sequence[Mark], ended_at: datetime, holds: Iterable[Hold] = ()
) -> tuple[Period, ...]:
    """The periods between these moments, in order, with `holds` known from the CEL log subtracted.
    Events after the end, of channels that outlived the caller's, are ignored.
    """
    found: list[Period] = []
    marks = [mark for mark in marks if mark.at <= ended_at] or marks[:1]
    ends = [*(mark.at for mark in marks[1:]), ended_at]
    for mark, until in zip(marks, ends, strict=True):
        channels: tuple[str, ...] = ()
        if mark.kind is PeriodKind.TALK:
            channels = mark.channels
        ended = max(mark.at, until)
        found.append(Period(kind=mark.kind, started_at=mark.at, ended_at=ended, channels=channels))
    return _joined(_with_holds(found, list(holds)))


def _with_holds(course: Iterable[Period], holds: Sequence[Hold]) -> Iterator[Period]:
    """The parts of these periods, split where a hold begins or ends."""
    for period in course:
        yield from _split(period, holds)


def with_periods(call: Call, course: tuple[Period, ...]) -> Call:
    """The call with these periods and their sums."""
    return replace(
        call,
        periods=course,
        wait_seconds=_total(course, PeriodKind.WAIT),
        talk_seconds=_total(course, PeriodKind.TALK),
        hold_seconds=_total(course, PeriodKind.HOLD),
        transfer_seconds=_total(course, PeriodKind.TRANSFER),
    )


def with_holds(call: Call, holds: Iterable[Hold]) -> Call:
    """The call without the time in which everyone with the caller held them. A hold by the caller
    does not count.
    """
    company = list(holds)
    if not company:
        return call
    parts = list(_with_holds(call.periods, company))
    return with_periods(call, _joined(parts))


def lengthened(call: Call, ended_at: datetime) -> Call:
    """The call with a later end, e.g. if its recording is longer than its rows."""
    if call.ended_at is None or ended_at <= call.ended_at:
        return call
    if not call.periods:
        more = (ended_at - call.ended_at).total_seconds()
        return replace(call, ended_at=ended_at, talk_seconds=call.talk_seconds + more)
    *before, last = call.periods
    return with_periods(
        replace(call, ended_at=ended_at), (*before, replace(last, ended_at=ended_at))
    )


def _split(period: Period, holds: Sequence[Hold]) -> list[Period]:
    """Split a talk into parts that were held by everyone, or not."""
    if period.kind is not PeriodKind.TALK:
        return [period]
    moments = {period.started_at, period.ended_at}
    for hold in holds:
        for at in (hold.started_at, hold.ended_at):
            if at is not None and period.started_at < at < period.ended_at:
                moments.add(at)
    parts = []
    ordered = sorted(moments)
    for start, end in pairwise(ordered):
        held = all(_holds_at(holds, channel, start) for channel in period.channels)
        part = replace(period, started_at=start, ended_at=end)
        if held:
            part = replace(part, kind=PeriodKind.HOLD, channels=())
        parts.append(part)
    return parts


def _holds_at(holds: Iterable[Hold], channel: str, at: datetime) -> bool:
    for hold in holds:
        if hold.channel != channel or at < hold.started_at:
            continue
        if hold.ended_at is None or at < hold.ended_at:
            return True
    return False


def _joined(parts: Iterable[Period]) -> tuple[Period, ...]:
    """Join equal neighbours; a moment without any person belongs to the period before it."""
    found: list[Period] = []
    for part in parts:
        if not found:
            found.append(part)
            continue
        last = found[-1]
        if _continues(last, part):
            found[-1] = replace(last, ended_at=part.ended_at)
        elif last.kind is part.kind and last.ended_at - last.started_at < BLINK:
            # the person who transferred the caller leaves
            found[-1] = replace(part, started_at=last.started_at)
        elif part.ended_at > part.started_at:
            found.append(part)
    return tuple(found)


def _continues(last: Period, part: Period) -> bool:
    if (last.kind, last.channels) == (part.kind, part.channels):
        return True
    alone = part.kind in {PeriodKind.HOLD, PeriodKind.TRANSFER}
    return alone and part.ended_at - part.started_at < BLINK and last.kind is not PeriodKind.WAIT


def _total(course: Iterable[Period], kind: PeriodKind) -> float:
    return sum(period.seconds for period in course if period.kind is kind)
