"""The live board: calls now, destinations that are down, and the sums of the day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from router.domain.calls.board import (
    Doubt,
    DownDestination,
    doubt,
    down_destinations,
    longest_wait,
)
from router.domain.calls.call import Call, State
from router.domain.visitors.site import Destination
from router.domain.visitors.visit import Visit
from router.service.calls.missed_ports import DaySums
from router.service.ports import Heartbeat, Store

SILENT = timedelta(seconds=60)  # a heartbeat comes every ten seconds
_INGEST = "ingest "


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardCall:
    """A call that has not ended."""

    call: Call
    visit: Visit | None
    doubt: Doubt | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """What happens now."""

    ringing: tuple[BoardCall, ...]  # the longest waiting first
    talking: tuple[BoardCall, ...]
    doubtful: tuple[BoardCall, ...]  # probably over
    longest: Call | None  # the call that waits longest
    down: tuple[DownDestination, ...]
    silent: tuple[str, ...]  # Asterisks whose state is not known
    today: DaySums
    revision: int


async def show_board(store: Store, now: datetime, today: datetime) -> Board:
    """The board; `today` is when the reader's day began."""
    async with store.read() as session:
        revision = await session.calls.revision()
        calls = await session.calls.unfinished()
        ids = {call.visit_id for call in calls if call.visit_id}
        visits = await session.get_many(Visit, ids)
        beats = []
        for heartbeat in await session.heartbeats.all():
            if heartbeat.name.startswith(_INGEST):
                beats.append(heartbeat)

        destinations = await session.find(Destination)
        sums = await session.missed.day(today, now)
    silent = {beat.name.removeprefix(_INGEST) for beat in beats if now - beat.at > SILENT}
    lines = [
        BoardCall(call=call, visit=visits.get(call.visit_id or ""), doubt=doubt(call, now, silent))
        for call in calls
    ]
    sure = [line for line in lines if line.doubt is None]
    return Board(
        ringing=tuple(line for line in sure if line.call.state is State.RINGING),
        talking=tuple(line for line in sure if line.call.state is State.TALKING),
        doubtful=tuple(line for line in lines if line.doubt),
        longest=longest_wait(line.call for line in sure),
        down=tuple(down_destinations(destinations, _lines_down(beats, now))),
        silent=tuple(sorted(silent)),
        today=sums,
        revision=revision,
    )


def _lines_down(beats: Iterable[Heartbeat], now: datetime) -> dict[str, str]:
    """The endpoints that are down, by the heartbeats that are not too old."""
    found: dict[str, str] = {}
    for beat in beats:
        down = beat.facts.get("lines_down")
        if now - beat.at <= SILENT and isinstance(down, dict):
            found |= {str(name): str(reason) for name, reason in down.items()}
    return found
