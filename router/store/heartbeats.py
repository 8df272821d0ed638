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
            statement = update(column.table).where(column > now, *waiting)
            earlier = _minus(column, by, self.connection.dialect.name)
            await self.connection.execute(statement.values({column.name: earlier}))


_PLANNED: tuple[tuple[Column[datetime], tuple[ColumnElement[bool], ...]], ...] = (
    (tables.delivery.c.due_at, (tables.delivery.c.state == DeliveryState.PENDING,)),
    (tables.delivery.c.claimed_until, (tables.delivery.c.state == DeliveryState.PENDING,)),
    (tables.recording.c.due_at, (tables.recording.c.state == RecordingState.WAITING,)),
    (tables.receiver_health.c.next_at, ()),
    (tables.receiver_health.c.paused_until, ()),
    (tables.mailbox.c.due_at, ()),
    (tables.late_evidence.c.due_at, ()),
)


def _minus(column: Column[datetime], by: timedelta, dialect: str) -> ColumnElement[Any]:
    """The moment, so much earlier: on SQLite moments are microseconds."""
    if dialect == "sqlite":
        return type_coerce(column, BigInteger) - by // timedelta(microseconds=1)
    return type_coerce(column, DateTime(timezone=True)) - literal(by, Interval)
