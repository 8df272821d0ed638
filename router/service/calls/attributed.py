"""Calls with what their attribution found."""

from dataclasses import replace

from router.domain.attribution.inference import kept_origins
from router.domain.attribution.terms import Attribution
from router.domain.calls.call import Call

IDENTITY = (
    "verdict",
    "probability",
    "candidates",
    "origins",
    "lease_id",
    "visitor_id",
    "visit_id",
    "source",
    "channel",
)


def with_attribution(call: Call, attributed: Attribution) -> Call:
    """The call with its attribution."""
    call = replace(
        call,
        verdict=attributed.verdict,
        probability=attributed.probability,
        candidates=attributed.candidates,
        origins=kept_origins(attributed.origins),
        source=attributed.source,
        channel=attributed.channel,
    )
    named = attributed.named
    if named is None:
        return replace(call, lease_id=None, visitor_id=None, visit_id=None)
    return replace(
        call, lease_id=named.lease_id, visitor_id=named.visitor_id, visit_id=named.visit_id
    )


def identity(call: Call) -> tuple[object, ...]:
    """The identity of the caller for receivers."""
    return tuple(getattr(call, name) for name in IDENTITY)
