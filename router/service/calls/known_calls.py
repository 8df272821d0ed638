"""Attributed calls as evidence for later calls."""

from router.domain.attribution.terms import (
    Candidate,
    CandidateFacts,
    Earlier,
)
from router.domain.calls.call import Call
from router.domain.visitors.visit import Visit
from router.service.calls.ports import EarlierCall, NamedCall


def as_earlier(call: Call) -> EarlierCall:
    """This call as evidence for later calls."""
    return EarlierCall(
        call_id=call.id,
        at=call.arrived_at,
        number=call.number,
        caller=call.caller,
        candidates=call.candidates,
        origins=call.origins,
    )


def as_named(call: Call) -> NamedCall:
    """This call with its named visitor."""
    return NamedCall(
        call_id=call.id,
        visitor_id=call.visitor_id or "",
        caller=call.caller,
        probability=call.probability or 0.0,
    )


def earlier_of(call: EarlierCall) -> Earlier:
    return Earlier(at=call.at, number=call.number, candidates=call.candidates, origins=call.origins)


def caller_of(candidate: Candidate, visit: Visit) -> CandidateFacts:
    return CandidateFacts(
        lease=None,
        visitor_id=candidate.visitor_id,
        visit_id=candidate.visit_id,
        source=visit.source,
        channel=visit.channel,
        region=visit.region,
    )
