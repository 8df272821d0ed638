"""One number, its visitors, and the moment of a call."""

from datetime import datetime, timedelta
from typing import Any

from router.domain.attribution.inference import attribute
from router.domain.attribution.terms import (
    Attribution,
    CallContext,
    Candidate,
    CandidateFacts,
    Earlier,
)
from router.domain.visitors.lease import Lease
from router.domain.visitors.site import TrackingNumber
from tests.support.builders import DID, dynamic, later, lease, pool

POOL = pool(hold_seconds=600, freeze_seconds=300)

MOMENT = timedelta(microseconds=1)

PHONE = "+79161234567"


def candidate(held: Lease | None = None, who: str = "anna", **fields: Any) -> CandidateFacts:
    if held is not None:
        who = held.visitor_id
    return CandidateFacts(lease=held, visitor_id=who, visit_id=f"{who}-1", **fields)


def left(who: str, begun: float, gone: float) -> Lease:
    """A lease that was begun and left so many seconds after noon."""
    times = {
        "started_at": later(begun),
        "seen_at": later(gone),
        "frozen_at": later(gone),
        "ends_at": later(gone + 300),
    }
    return lease(f"lease-{who}", visitor_id=who, visit_id=f"{who}-1", **times)


def infer(
    at: datetime, *candidates: CandidateFacts, number: TrackingNumber | None = None, **fields: Any
) -> Attribution:
    asked = CallContext(
        number=number or dynamic(), at=at, caller=PHONE, candidates=candidates, **fields
    )
    return attribute(asked)


def probability(result: Attribution, who: str = "anna") -> float:
    return sum(
        candidate.probability for candidate in result.candidates if candidate.visitor_id == who
    )


def before(who: str, number: str = DID, sure: float = 1.0, days: float = 3) -> Earlier:
    candidate = Candidate(lease_id=None, visitor_id=who, visit_id=f"{who}-1", probability=sure)
    return Earlier(at=later(-86_400 * days), number=number, candidates=(candidate,))
