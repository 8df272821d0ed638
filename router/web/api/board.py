"""The live board."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from router.domain.access import Scope
from router.domain.calls.board import talks_to
from router.errors import NotAllowed
from router.service.calls.board import BoardCall, show_board
from router.web.api.models.base import Moment
from router.web.api.models.board import Board, DownDestination, OpenCall
from router.web.deps import NotLoggedIn, Now, StoreOf, needs
from router.web.error_handlers import answers

router = APIRouter(prefix="/board", tags=["board"], responses=answers(NotLoggedIn, NotAllowed))


@router.get("", dependencies=[Depends(needs(Scope.CALLS_READ))])
async def board(
    store: StoreOf,
    now: Now,
    since: Annotated[
        Moment | None,
        Query(description="From when on the sums count; the last midnight in UTC otherwise."),
    ] = None,
) -> Board:
    """Open calls, destinations that are down, and the sums of the day."""
    start = since or now.replace(hour=0, minute=0, second=0, microsecond=0)
    found = await show_board(store, now, start)
    lines = sorted(
        (*found.ringing, *found.talking, *found.doubtful), key=lambda line: line.call.arrived_at
    )
    down = (
        DownDestination(
            destination_id=state.destination.id, down=state.down, lines=dict(state.lines)
        )
        for state in found.down
    )
    return Board(
        calls=tuple(_call(line) for line in lines),
        down=tuple(down),
        silent=found.silent,
        since=start,
        ended=found.today.calls,
        answered=found.today.answered,
        missed=found.today.missed,
        mean_wait_seconds=found.today.mean_wait_seconds,
    )


def _call(line: BoardCall) -> OpenCall:
    call, visit = line.call, line.visit
    return OpenCall(
        call_id=call.id,
        state=call.state,
        caller=call.caller,
        caller_name=call.caller_name,
        site_id=call.site_id,
        arrived_at=call.arrived_at,
        answered_at=call.answered_at,
        talks_to=talks_to(call),
        source=(visit.source if visit else None) or call.source,
        campaign=visit.campaign if visit else None,
        probability=call.probability,
        doubt=line.doubt,
    )
