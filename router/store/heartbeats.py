"""The last heartbeat of each process."""

from dataclasses import asdict, dataclass

from sqlalchemy import select

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
