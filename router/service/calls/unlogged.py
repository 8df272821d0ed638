"""Calls whose rows in the CEL log are missing or cannot be read, e.g. because of a full disk or a
killed Asterisk.
"""

from collections.abc import Iterator, Sequence

from router.domain.calls.call import Call, Disposition, Ending, State, endpoint
from router.domain.calls.cel_facts import event_name, facts, is_withheld
from router.domain.calls.ledger import Row
from router.service.calls.ports import RouteRequest

ENTRY = "ringtrace-from-trunk"  # the context that calls from carriers enter


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


def unread_calls(rows: Sequence[Row]) -> tuple[Call, ...]:
    """The calls with the facts of their first rows."""
    first = {row.uniqueid: row for row in reversed(rows)}
    arrivals = {row.linkedid: row for row in reversed(list(_arrivals(rows)))}
    return tuple(_unread(row, first[row.uniqueid], rows[-1]) for row in arrivals.values())


def _arrivals(rows: Sequence[Row]) -> Iterator[Row]:
    """The dialplan's rows about new calls. Where they are missing: the channels from carriers whose
    end is missing too, or that have been routed. Others were refused before they became calls.
    """
    said = [row for row in rows if event_name(row) == "CALL"]
    if said:
        yield from said
        return
    ended = {row.uniqueid for row in rows if row.event == "CHAN_END"}
    routed = {row.uniqueid for row in rows if event_name(row) in {"ROUTE", "END"}}
    for row in rows:
        came = row.event == "CHAN_START" and row.context == ENTRY
        if came and (row.uniqueid in routed or row.uniqueid not in ended):
            yield row


def _unread(row: Row, first: Row, last: Row) -> Call:
    said = facts(row)
    return Call(
        id=row.linkedid,
        did=(said.get("did") or first.extension)[:40],
        trunk=(said.get("trunk") or endpoint(row.channel))[:64],
        caller_raw=first.caller_number[:80],
        withheld=is_withheld(first.caller_number, said),
        caller_name=first.caller_name[:200],
        arrived_at=first.at,
        ended_at=max(first.at, last.at),
        state=State.ENDED,
        disposition=Disposition.FAILED,
        ending=Ending.NOT_LOGGED,
        spool_name=said.get("file", "")[:80] or None,
    )
