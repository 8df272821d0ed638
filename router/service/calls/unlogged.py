"""Calls with a route request that are missing in the CEL log, e.g. because of a full disk."""

from router.domain.calls.call import Call, Disposition, Ending, State
from router.service.calls.ports import RouteRequest


def unlogged_call(request: RouteRequest) -> Call:
    """The call with the facts of its route request."""
    return Call(
        id=request.linkedid,
        did=request.did,
        trunk=request.trunk,
        caller_raw=request.caller_number[:80],
        caller_name=request.caller_name[:200],
        arrived_at=request.at,
        ended_at=request.at,
        state=State.ENDED,
        disposition=Disposition.FAILED,
        ending=Ending.NOT_LOGGED,
        destination_id=request.destination_id,
        spool_name=request.spool_name or None,
    )
