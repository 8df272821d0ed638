"""Calls that the dialplan asked a route for and that the CEL log never spoke of: its disk was full,
for example.
"""

from router.domain.calls.call import Call, Disposition, Ending, State
from router.service.calls.ports import RouteRequest


def unlogged_call(request: RouteRequest) -> Call:
    """The call as far as it is known: that it came, for which number, and from whom."""
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
