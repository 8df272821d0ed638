"""Who was called in a call back, by whom and why: the dialplan knows only its token."""

from dataclasses import replace

from router.domain.calls.call import Call
from router.domain.calls.call_back import CallBack
from router.domain.calls.routing import RoutingTable
from router.domain.phone import caller_number
from router.service.ports import Session


async def identify_outgoing(session: Session, call: Call, table: RoutingTable, region: str) -> Call:
    """Set number, site, customer and cause of a call that calls back. It is not attributed: no
    visit led to it.
    """
    call = replace(call, number=None, site_id=None)
    if number := table.number(call.did):
        call = replace(call, number=number.e164, site_id=number.site_id)

    back = await session.peek(CallBack, call.call_back_id)
    if back is None:
        return replace(call, caller=caller_number(call.caller_raw, region))
    return replace(
        call,
        site_id=back.site_id,
        caller=back.number,
        answers_call_id=back.call_id,
        started_by=back.by,
    )
