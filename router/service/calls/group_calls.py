"""Folds a group of CEL rows into calls, also if it is cut or unreadable."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta

import structlog

from router.domain.calls.call import Call, Disposition, Ending, State
from router.domain.calls.clock_steps import last_at
from router.domain.calls.folding import fold
from router.domain.calls.ledger import Group, Row
from router.service.calls.ports import RejectedRow
from router.service.calls.unlogged import unread_calls

log = structlog.get_logger()

# rows of an ongoing call, which is written completely with each batch; thinned to half of it
MOST_ROWS = 2_000
MOST_KEPT = 500  # rows of a call that are stored as rejected


def calls_of(group: Group) -> tuple[Call, ...]:
    """The calls of a group; of one that is over also those whose first rows are missing."""
    calls = fold(group.rows)
    if not group.over:
        return calls
    return calls or unread_calls(group.rows)


def cut_calls(rows: Sequence[Row]) -> tuple[Call, ...]:
    """The calls of these rows, closed as cut."""
    return _cut(rows) or unread_calls(rows)


def _cut(rows: Sequence[Row]) -> tuple[Call, ...]:
    if not rows:
        return ()
    try:
        return fold(rows, cut_at=last_at(rows))
    except Exception:
        log.exception("call_not_read", linkedid=rows[0].linkedid)
        return ()


def ended_call(call: Call, rows: Sequence[Row]) -> Call:
    """The call's ending by its remaining rows in the CEL log, otherwise by the stored call."""
    for cut in _cut(rows):
        if cut.id == call.id:
            return cut
    parts = (call.wait_seconds, call.talk_seconds, call.hold_seconds, call.transfer_seconds)
    known = timedelta(seconds=sum(parts))
    disposition = Disposition.FAILED
    if call.answered_at:
        disposition = Disposition.ANSWERED

    return replace(
        call,
        state=State.ENDED,
        ending=Ending.CUT,
        disposition=disposition,
        ended_at=call.ended_at or call.arrived_at + known,
    )


def rejected_rows(group: Group, error: Exception, at: datetime) -> list[RejectedRow]:
    """The rejected rows of a call."""
    reason = f"this call cannot be processed: {type(error).__name__}: {error}"[:300]
    rejected = []
    for place, row in enumerate(group.rows[:MOST_KEPT]):
        rejected.append(
            RejectedRow(
                file=f"call {group.id}",
                offset=place,
                text=json.dumps(asdict(row), default=str),
                reason=reason,
                at=at,
            )
        )
    return rejected


def tell_rejected(rejected: Iterable[RejectedRow]) -> None:
    """Log each row that was rejected."""
    for bad in rejected:
        log.warning("cel_log_row_set_aside", file=bad.file, offset=bad.offset, reason=bad.reason)
