"""Calls back in the store."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, or_, select

from router.domain.calls.call_back import CallBack, CallBackState
from router.store import tables
from router.store.direct import AnyConnection
from router.store.records import from_rows

_back = tables.call_back
_ASKED = select(_back).where(_back.c.state == CallBackState.ASKED).order_by(_back.c.at)
_GOING_ON = (CallBackState.RINGING, CallBackState.CALLING, CallBackState.TALKING)
_RECENT = (
    select(_back)
    .where(or_(_back.c.at >= bindparam("since"), _back.c.state.in_(_GOING_ON)))
    .order_by(_back.c.at.desc(), _back.c.id.desc())
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True)
class SqlCallBacks:
    """The `CallBacks` of `router.service.calls.missed_ports`."""

    connection: AnyConnection

    async def asked(self) -> list[CallBack]:
        """Those that Asterisk has not begun, the oldest first."""
        return from_rows(CallBack, await self.connection.execute(_ASKED))

    async def recent(self, since: datetime, most: int = 200) -> list[CallBack]:
        """Those that were asked for since then or go on, the newest first."""
        rows = await self.connection.execute(_RECENT, {"since": since, "most": most})
        return from_rows(CallBack, rows)
