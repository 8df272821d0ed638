"""Health of receivers, and entities of calls."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from router.domain.delivery.connection import ReceiverHealth
from router.domain.delivery.entity import Entity
from router.store import tables
from router.store.direct import AnyConnection
from router.store.records import from_row, from_rows, to_row
from router.store.writing import add_absent, upsert

_health, _entity, _call = tables.receiver_health, tables.entity, tables.call


@dataclass(frozen=True, slots=True)
class SqlReceivers:
    """The `Receivers` of `router.service.delivery.ports`."""

    connection: AnyConnection

    async def lock(self, receiver_id: str, now: datetime) -> ReceiverHealth:
        """The receiver's health, locked until the transaction ends."""
        query = select(_health).where(_health.c.receiver_id == receiver_id).with_for_update()
        row = (await self.connection.execute(query)).first()
        if row is None:
            await add_absent(
                self.connection,
                _health,
                to_row(ReceiverHealth(receiver_id=receiver_id, next_at=now, paused_until=now)),
            )
            row = (await self.connection.execute(query)).one()
        return from_row(ReceiverHealth, row)

    async def save(self, health: ReceiverHealth) -> None:
        """Save its health."""
        await upsert(self.connection, _health, [to_row(health)])


@dataclass(frozen=True, slots=True)
class SqlEntities:
    """The `Entities` of `router.service.delivery.ports`."""

    connection: AnyConnection

    async def recent(self, connection_id: str, caller: str, since: datetime) -> list[Entity]:
        """Entities of this phone's calls since then, which a CRM's search may not return yet."""
        query = (
            select(_entity)
            .join(_call, _call.c.id == _entity.c.call_id)
            .where(
                _entity.c.connection_id == connection_id,
                _call.c.caller == caller,
                _entity.c.at > since,
            )
        )
        return from_rows(Entity, await self.connection.execute(query))
