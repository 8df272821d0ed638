"""Attributes calls again after late evidence: a visitor's identifiers, or a phone number in a form.
The worker does this, because a visitor's request must not wait, and its response time must not
reveal whether a phone has called. Every job can be repeated: results depend on stored data only,
and deliveries are keyed by content.
"""

from datetime import datetime, timedelta

import structlog

from router.domain.attribution.late_evidence import LateEvidence, LateKind
from router.domain.attribution.terms import LOOK_BACK
from router.domain.calls.call import State
from router.domain.calls.call_filter import CallFilter
from router.errors import DatabaseUnavailable
from router.service.calls.reattribution import form_left
from router.service.clock import Clock
from router.service.delivery.outbox import enqueue_late_ids
from router.service.ports import Store

log = structlog.get_logger()

AT_ONCE = 20  # looks
MOST_CALLS = 200  # of one visitor
AFTER_FAILURE = timedelta(minutes=10)


async def look_again(store: Store, clock: Clock) -> int:
    """Run the jobs that are due; returns their number. A failed job is retried later and stops no
    other.
    """
    async with store.read() as session:
        due = await session.late_evidence.due(clock(), AT_ONCE)
    for evidence in due:
        try:
            await _look(store, evidence, clock())
        except DatabaseUnavailable:
            raise
        except Exception:
            log.exception("late_evidence_failed", kind=str(evidence.kind), evidence=evidence.id)
            await _postpone(store, evidence, clock())
    return len(due)


async def _look(store: Store, evidence: LateEvidence, now: datetime) -> None:
    match evidence.kind:
        case LateKind.IDENTITY:
            await _send_ids(store, evidence.subject, now)
        case LateKind.FORM:
            await form_left(store, evidence.site_id or "", evidence.subject, now)
    async with store.write() as session:
        await session.late_evidence.finish(evidence)


async def _send_ids(store: Store, visitor_id: str, now: datetime) -> None:
    """Send a visitor's identifiers after the calls that ended before they were known."""
    wanted = CallFilter(visitor_id=visitor_id, since=now - LOOK_BACK, state=State.ENDED)
    async with store.write() as session:
        # a concurrently ending call is either found here or reads the new identifiers
        await session.calls.lock()
        calls = await session.calls.find(wanted, limit=MOST_CALLS)
        await enqueue_late_ids(session, calls, now)


async def _postpone(store: Store, evidence: LateEvidence, now: datetime) -> None:
    async with store.write() as session:
        await session.change_values(LateEvidence, evidence.id, due_at=now + AFTER_FAILURE)
