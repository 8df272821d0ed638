"""The last heartbeat of each process."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    Interval,
    exists,
    literal,
    select,
    type_coerce,
    update,
)

from router.domain.calls.call import RecordingState
from router.domain.delivery.delivery import DeliveryState
from router.service.ports import Heartbeat
from router.store import tables
from router.store.direct import AnyConnection
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
        """Let all work that is due after `now` be due so much earlier."""
        for column, waiting in _PLANNED:
            await self._move(column, -by, column > now, *waiting)

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

    async def _move(
        self, column: Column[datetime], by: timedelta, *which: ColumnElement[bool]
    ) -> None:
        later = _plus(column, by, self.connection.dialect.name)
        statement = update(column.table).where(*which).values({column.name: later})
        await self.connection.execute(statement)


_PLANNED: tuple[tuple[Column[datetime], tuple[ColumnElement[bool], ...]], ...] = (
    (tables.delivery.c.due_at, (tables.delivery.c.state == DeliveryState.PENDING,)),
    (tables.delivery.c.claimed_until, (tables.delivery.c.state == DeliveryState.PENDING,)),
    (tables.recording.c.due_at, (tables.recording.c.state == RecordingState.WAITING,)),
    (tables.receiver_health.c.next_at, ()),
    (tables.receiver_health.c.paused_until, ()),
    (tables.mailbox.c.due_at, ()),
    (tables.late_evidence.c.due_at, ()),
)


def _plus(column: Column[datetime], by: timedelta, dialect: str) -> ColumnElement[Any]:
    """The moment, so much later: on SQLite moments are microseconds."""
    if dialect == "sqlite":
        return type_coerce(column, BigInteger) + by // timedelta(microseconds=1)
    return type_coerce(column, DateTime(timezone=True)) + literal(by, Interval)
