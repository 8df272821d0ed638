"""Marks: what happens at a moment of a call's recording, for its timeline.

Asterisk records while the caller is in a bridge (decision 0004), so a recording may lack the time
in which the caller waits after a transfer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from router.domain.calls.call import Call, Period, PeriodKind, Spans

LONG_SILENCE = 5.0  # seconds
_SHORTEST_HOLD = 1.0
_NO_TIME = timedelta(0)


class MarkKind(StrEnum):
    """What a mark is."""

    ANSWER = "answer"
    HOLD = "hold"
    TRANSFER = "transfer"
    PAUSE = "pause"  # the recording pauses here
    SILENCE = "silence"  # of both sides
    TALK_OVER = "talk_over"
    COMMENT = "comment"
    TAG = "tag"
    WORD = "word"  # of a list


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A moment of a recording, or a part of it."""

    kind: MarkKind
    at_seconds: float
    seconds: float = 0.0
    text: str = ""


def marks_of_course(call: Call, recorded_seconds: float) -> Iterator[Mark]:
    """The answer, holds and transfers of a call, and where the recording pauses."""
    if call.answered_at is None:
        return
    pauses = _pauses(call, recorded_seconds)
    yield Mark(kind=MarkKind.ANSWER, at_seconds=0.0, text=call.answered_by or "")

    for transfer in call.transfers:
        at = _position(call.answered_at, pauses, transfer.at)
        yield Mark(kind=MarkKind.TRANSFER, at_seconds=at, text=transfer.to)
    for pause in pauses:
        at = _position(call.answered_at, pauses, pause.started_at)
        yield Mark(kind=MarkKind.PAUSE, at_seconds=at)
    for period in call.periods:
        if period.kind is PeriodKind.HOLD and period.seconds >= _SHORTEST_HOLD:
            at = _position(call.answered_at, pauses, period.started_at)
            yield Mark(kind=MarkKind.HOLD, at_seconds=at, seconds=period.seconds)


def marks_of_sound(spans: Spans) -> Iterator[Mark]:
    """Long silences of both sides, and where both speak."""
    for begin, end in spans.silences:
        if end - begin >= LONG_SILENCE:
            yield Mark(kind=MarkKind.SILENCE, at_seconds=begin, seconds=round(end - begin, 2))
    for begin, end in spans.talk_overs:
        yield Mark(kind=MarkKind.TALK_OVER, at_seconds=begin, seconds=round(end - begin, 2))


def _pauses(call: Call, recorded_seconds: float) -> tuple[Period, ...]:
    """The waits after transfers, if they explain what the recording lacks."""
    if call.answered_at is None or call.ended_at is None:
        return ()
    waits = tuple(period for period in call.periods if period.kind is PeriodKind.TRANSFER)
    waited = sum(wait.seconds for wait in waits)
    lacking = (call.ended_at - call.answered_at).total_seconds() - recorded_seconds
    if waited and lacking > waited / 2:
        return waits
    return ()


def _position(answered_at: datetime, pauses: Sequence[Period], at: datetime) -> float:
    """Where in the recording a moment of the call is."""
    passed = max(at - answered_at, _NO_TIME)
    for pause in pauses:
        passed -= max(min(at, pause.ended_at) - pause.started_at, _NO_TIME)
    return round(max(passed, _NO_TIME).total_seconds(), 2)
