"""Work that waits in the store: recordings to be shelved, deliveries to be made."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, Table, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from router.domain.call import Recording, RecordingState
from router.domain.delivery import Delivery, DeliveryState
from router.store import tables
from router.store.direct import DirectConnection
from router.store.records import TABLES, from_row, to_row

_recording, _delivery = tables.recording, tables.delivery
_WAITING = {Recording: RecordingState.WAITING, Delivery: DeliveryState.PENDING}


class Work:
    """The part of a session that knows what waits."""

    connection: AsyncConnection | DirectConnection

    if TYPE_CHECKING:

        async def _upsert(self, table: Any, rows: Sequence[dict[str, Any]]) -> None: ...

    async def save_recordings(self, recordings: Sequence[Recording]) -> None:
        """Write recordings as they are now."""
        await self._upsert(_recording, [to_row(recording) for recording in recordings])

    async def add_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Write new deliveries; one whose key the receiver has already is not written again."""
        if not deliveries:
            return
        rows = await self.connection.execute(_PRESENT, {"keys": list({d.key for d in deliveries})})
        present = {(row.key, row.receiver_id) for row in rows}
        new = {(d.key, d.receiver_id): d for d in deliveries if (d.key, d.receiver_id) not in present}
        await self._upsert(_delivery, [to_row(delivery) for delivery in new.values()])

    async def due_recordings(self, now: datetime, limit: int) -> list[Recording]:
        """Recordings the worker should look at."""
        return await self._due(Recording, now, limit)

    async def due_deliveries(self, now: datetime, limit: int, receiver_id: str | None = None) -> list[Delivery]:
        """Deliveries to be made now, to one receiver or to all, the oldest first."""
        return await self._due(Delivery, now, limit, receiver_id)

    async def receivers_due(self) -> dict[str, datetime]:
        """For each receiver with pending deliveries: when the first of them is due."""
        return {row[0]: row[1] for row in await self.connection.execute(_RECEIVERS_DUE)}

    async def deliveries(
        self, *, state: DeliveryState | None = None, call_id: str | None = None, limit: int = 50
    ) -> list[Delivery]:
        """Deliveries, the newest first."""
        query = select(_delivery).order_by(_delivery.c.created_at.desc(), _delivery.c.id).limit(limit)
        if state:
            query = query.where(_delivery.c.state == state)
        if call_id:
            query = query.where(_delivery.c.call_id == call_id)
        return [from_row(Delivery, row) for row in await self.connection.execute(query)]

    async def next_due(self, kind: type[Any]) -> datetime | None:
        """When the next recording or delivery is due."""
        moment: datetime | None = (await self.connection.execute(_next_due(TABLES[kind], _WAITING[kind]))).scalar()
        return moment

    async def _due(self, kind: type[Any], now: datetime, limit: int, receiver_id: str | None = None) -> list[Any]:
        """Locked until the transaction ends, so that several workers never take the same one."""
        query = _due(TABLES[kind], _WAITING[kind])
        if receiver_id is not None:
            query = query.where(_delivery.c.receiver_id == receiver_id)
        return [from_row(kind, row) for row in await self.connection.execute(query, {"now": now, "most": limit})]


@cache
def _due(table: Table, waiting: str) -> Select[Any]:
    return (
        select(table)
        .where(table.c.state == waiting, table.c.due_at <= bindparam("now"))
        .order_by(table.c.due_at)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
    )


@cache
def _next_due(table: Table, waiting: str) -> Select[Any]:
    return select(func.min(table.c.due_at)).where(table.c.state == waiting)


_PRESENT = select(_delivery.c.key, _delivery.c.receiver_id).where(
    _delivery.c.key.in_(bindparam("keys", expanding=True))
)
_RECEIVERS_DUE = (
    select(_delivery.c.receiver_id, func.min(_delivery.c.due_at))
    .where(_delivery.c.state == DeliveryState.PENDING)
    .group_by(_delivery.c.receiver_id)
)
