"""Numbers and leases in the store."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from router.domain.lease import Lease
from router.domain.site import NumberKind, TrackingNumber
from router.service.ports import Holder
from router.store import tables
from router.store.direct import DirectConnection
from router.store.records import from_row, to_row

_lease, _number, _visitor, _visit = tables.lease, tables.number, tables.visitor, tables.visit
_NEWEST_FIRST = (_lease.c.started_at.desc(), _lease.c.ends_at.desc(), _lease.c.id)

# Built once: building a statement costs more than carrying it out.
_BEGUN = (_lease.c.number == bindparam("number"), _lease.c.started_at <= bindparam("at"))
_LAST = select(_lease).where(*_BEGUN).order_by(*_NEWEST_FIRST).limit(1)
_HOLDER = (
    select(_lease.c.id, _lease.c.ends_at, _visitor.c.ga_client_id, _visit.c.source, _visit.c.campaign)
    .join(_visitor, _visitor.c.id == _lease.c.visitor_id)
    .join(_visit, _visit.c.id == _lease.c.visit_id)
    .where(*_BEGUN)
    .order_by(*_NEWEST_FIRST)
    .limit(1)
)


class Leases:
    """The part of a session that knows leases."""

    connection: AsyncConnection | DirectConnection

    if TYPE_CHECKING:

        async def _upsert(self, table: Any, rows: Sequence[dict[str, Any]]) -> None: ...

    async def lock_number(self, e164: str) -> TrackingNumber | None:
        """A number, locked until the transaction ends: nobody leases it meanwhile."""
        query = select(_number).where(_number.c.e164 == e164).with_for_update()
        row = (await self.connection.execute(query)).first()
        return from_row(TrackingNumber, row) if row else None

    async def take_idle_number(self, pool_id: str, now: datetime) -> TrackingNumber | None:
        """The number of the pool that has been free the longest, locked until the transaction ends."""
        query = (
            select(_number)
            .where(_number.c.pool_id == pool_id, _number.c.kind == NumberKind.DYNAMIC, _number.c.free_at <= now)
            .order_by(_number.c.free_at, _number.c.e164)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        row = (await self.connection.execute(query)).first()
        return from_row(TrackingNumber, row) if row else None

    async def save_lease(self, lease: Lease) -> None:
        """Write a lease as it is now, and with it until when its number is taken."""
        await self._upsert(_lease, [to_row(lease)])
        await self.connection.execute(
            update(_number).where(_number.c.e164 == lease.number).values(free_at=lease.ends_at)
        )

    async def current_lease(self, visitor_id: str, pool_id: str, now: datetime) -> Lease | None:
        """The lease that the visitor holds now, present or frozen."""
        query = (
            select(_lease)
            .where(_lease.c.visitor_id == visitor_id, _lease.c.pool_id == pool_id, _lease.c.ends_at > now)
            .order_by(_lease.c.started_at.desc())
            .limit(1)
        )
        row = (await self.connection.execute(query)).first()
        return from_row(Lease, row) if row else None

    async def holder(self, number: str, now: datetime) -> Holder | None:
        """Who holds the number now, present or frozen. A caller waits for this: no more is read than is told."""
        row = (await self.connection.execute(_HOLDER, {"number": number, "at": now})).first()
        if row is None or row.ends_at <= now:
            return None
        return Holder(lease_id=row.id, client_id=row.ga_client_id, campaign=row.campaign, source=row.source)

    async def last_leases(self, moments: Sequence[tuple[str, datetime]]) -> list[Lease | None]:
        """For each (number, moment): the last lease of the number that began at or before the moment."""
        found = []
        for number, at in moments:
            row = (await self.connection.execute(_LAST, {"number": number, "at": at})).first()
            found.append(from_row(Lease, row) if row else None)
        return found

    async def leases(self, *, number: str | None = None, visitor_id: str | None = None, limit: int = 50) -> list[Lease]:
        """Leases of a number or a visitor, the newest first."""
        query = select(_lease).order_by(*_NEWEST_FIRST).limit(limit)
        if number:
            query = query.where(_lease.c.number == number)
        if visitor_id:
            query = query.where(_lease.c.visitor_id == visitor_id)
        return [from_row(Lease, row) for row in await self.connection.execute(query)]
