"""Route requests, until their calls are in the CEL log."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import delete, exists, or_, select

from router.service.calls.ports import RouteRequest
from router.store import tables
from router.store.direct import AnyConnection
from router.store.writing import upsert


@dataclass(frozen=True, slots=True)
class SqlRouteRequests:
    """The `RouteRequests` of `router.service.calls.ports`."""

    connection: AnyConnection

    async def add(self, requests: Sequence[RouteRequest], cel_log: str) -> None:
        """Save a route request until its call is in the CEL log."""
        rows = {request.linkedid: {**asdict(request), "cel_log": cel_log} for request in requests}
        await upsert(self.connection, tables.route_request, list(rows.values()))

    async def forget(self, linkedids: Sequence[str] = ()) -> None:
        """Delete route requests of these calls and of known ones."""
        asked = tables.route_request
        known = exists().where(tables.call.c.id == asked.c.linkedid)
        await self.connection.execute(
            delete(asked).where(or_(known, asked.c.linkedid.in_(linkedids)))
        )

    async def before(self, cel_log: str, before: datetime) -> list[RouteRequest]:
        """Route requests before then whose calls are unknown, oldest first."""
        asked = tables.route_request
        query = (
            select(asked)
            .where(asked.c.cel_log == cel_log, asked.c.at < before)
            .order_by(asked.c.at)
            .limit(1000)
        )
        rows = await self.connection.execute(query)
        requests = []
        for row in rows:
            requests.append(
                RouteRequest(**{k: v for k, v in row._mapping.items() if k != "cel_log"})
            )
        return requests
