"""The last heartbeat of each process."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    Column,
    ColumnElement,
    case,
    exists,
    literal,
    select,
    update,
)

from router.domain.calls.call import RecordingState
from router.domain.calls.call_back import CallBackState
from router.domain.delivery.delivery import DeliveryState
from router.service.ports import Heartbeat
from router.store import tables
from router.store.direct import AnyConnection
from router.store.moments import plus
from router.store.writing import upsert


@dataclass(frozen=True, slots=True)
class SqlHeartbeats:
    """The `Heartbeats` of `router.service.ports`."""

    connection: AnyConnection

    async def save(self, heartbeat: Heartbeat) -> None:
        """Save a process's heartbeat."""
        await upsert(self.connection, tables.heartbeat, [asdict(heartbeat)])

    async def all(self) -> list[Heartbeat]:
        """The last heartbeat of every process."""
        rows = await self.connection.execute(
            select(tables.heartbeat).order_by(tables.heartbeat.c.name)
        )
        return [Heartbeat(**row._mapping) for row in rows]

    async def bring_forward(self, now: datetime, by: timedelta) -> None:
        """Let all work that is due after `now` be due so much earlier, and leases, sessions and
        calls back that were begun by the clock before last as long as they would have.
        """
        for column, waiting in _PLANNED:
            await self._move(column, -by, column > now, *waiting)
        for column in _LASTING:
            await self._move(column, -by, column > now, not_before=now)

    async def put_off(self, since: datetime, now: datetime, by: timedelta) -> None:
        """Let work that was planned before `since`, and was due before `now`, be due so much later,
        and leases of that time, and deadlines, end so much later.
        """
        for column, waiting in _PLANNED:
            await self._move(column, by, column > since, column <= now, *waiting)

        delivery, lease, number = tables.delivery.c, tables.lease.c, tables.number.c
        await self._move(
            delivery.deadline_at,
            by,
            delivery.state == DeliveryState.PENDING,
            delivery.created_at <= since,
            delivery.deadline_at > since,
        )
        held = lease.ends_at > since, lease.seen_at <= since
        its_last = lease.number == number.e164, lease.ends_at == number.free_at
        await self._move(number.free_at, by, exists().where(*its_last, *held))
        await self._move(lease.frozen_at, by, *held, lease.frozen_at > since)
        await self._move(lease.ends_at, by, *held)

        await self._move(_sessions.expires_at, by, _sessions.expires_at > since)
        await self._move(_backs.at, by, _backs.at <= since, _backs.state != CallBackState.ENDED)

    async def _move(
        self,
        column: Column[datetime],
        by: timedelta,
        *which: ColumnElement[bool],
        not_before: datetime | None = None,
    ) -> None:
        later = plus(column, by, self.connection.dialect.name)
        if not_before is not None:
            bound = literal(not_before, column.type)
            later = case((later < bound, bound), else_=later)
        statement = update(column.table).where(*which).values({column.name: later})
        await self.connection.execute(statement)


_leases, _sessions, _backs = tables.lease.c, tables.login_session.c, tables.call_back.c

# moments of things that last: set back in their order, and none before the clock's new time
_LASTING: tuple[Column[datetime], ...] = (
    _leases.started_at,
    _leases.seen_at,
    _leases.frozen_at,
    _leases.ends_at,
    tables.number.c.free_at,
    _sessions.created_at,
    _sessions.expires_at,
    _backs.at,
)

_PLANNED: tuple[tuple[Column[datetime], tuple[ColumnElement[bool], ...]], ...] = (
    (tables.delivery.c.due_at, (tables.delivery.c.state == DeliveryState.PENDING,)),
    (tables.delivery.c.claimed_until, (tables.delivery.c.state == DeliveryState.PENDING,)),
    (tables.recording.c.due_at, (tables.recording.c.state == RecordingState.WAITING,)),
    (tables.receiver_health.c.next_at, ()),
    (tables.receiver_health.c.paused_until, ()),
    (tables.mailbox.c.due_at, ()),
    (tables.late_evidence.c.due_at, ()),
)
