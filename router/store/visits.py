"""Visits in the store."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Select, Table, bindparam, func, select, update

from router.domain.visitors.visit import Visit, Visitor
from router.store import tables
from router.store.direct import AnyConnection
from router.store.records import TABLES, from_rows_by

_visit, _visitor = tables.visit, tables.visitor
_VISIT_FIELDS = tuple(field.name for field in fields(Visit))
_last_seen = func.coalesce(_visit.c.seen_at, _visit.c.started_at)
_GOING = (
    select(_visit)
    .where(
        _visit.c.visitor_id.in_(bindparam("visitors", expanding=True)),
        _last_seen > bindparam("since", type_=tables.Moment()),
    )
    .order_by(_visit.c.started_at, _visit.c.id)
)
_lease, _pool = tables.lease, tables.pool
# in the order of leaving; a visitor still on the page may be another person at the same address
_LEFT = (
    select(
        _visit.c.client,
        _visit.c.visitor_id,
        _lease.c.seen_at,
        _lease.c.ends_at,
        _pool.c.hold_seconds,
    )
    .join(_lease, _lease.c.visit_id == _visit.c.id)
    .join(_pool, _pool.c.id == _lease.c.pool_id)
    .where(
        _visit.c.client.in_(bindparam("clients", expanding=True)),
        _lease.c.shown,
        _lease.c.seen_at >= bindparam("since"),
        _lease.c.ends_at > bindparam("now"),
    )
    .order_by(_lease.c.seen_at)
)
_WITH_VISITOR = (
    select(
        _visit,
        *(column.label(f"visitor_{column.name}") for column in _visitor.c if column.name != "id"),
    )
    .join(_visitor, _visitor.c.id == _visit.c.visitor_id)
    .where(_visit.c.id == bindparam("key"))
)
_SEEING = update(_visit).where(_visit.c.id == bindparam("seen")).values(seen_at=bindparam("now"))
_CODES = select(_visit.c.code).where(
    _visit.c.code.in_(bindparam("codes", expanding=True)), _visit.c.started_at > bindparam("since")
)


@dataclass(frozen=True, slots=True)
class SqlVisits:
    """The `Visits` of `router.service.visitors.ports`."""

    connection: AnyConnection

    async def going(self, visitor_ids: Collection[str], since: datetime) -> dict[str, Visit]:
        """The newest visit of each of these visitors who was seen after `since`, by visitor."""
        rows = await self.connection.execute(
            _GOING, {"visitors": list(visitor_ids), "since": since}
        )
        return from_rows_by("visitor_id", Visit, rows)

    async def left_visitors(
        self, clients: Collection[str], since: datetime, now: datetime
    ) -> dict[str, str]:
        """By client, the last visitor who left a page after `since` and still holds a number."""
        rows = await self.connection.execute(
            _LEFT, {"clients": list(clients), "since": since, "now": now}
        )
        return {row.client: row.visitor_id for row in rows if _was_left(row)}

    async def with_visitor(self, visit_id: str) -> tuple[Visit, Visitor] | None:
        """A visit and its visitor."""
        row = (await self.connection.execute(_WITH_VISITOR, {"key": visit_id})).first()
        if row is None:
            return None
        values = row._mapping
        visitor = {name: values[f"visitor_{name}"] for name in _visitor.c.keys() if name != "id"}  # noqa: SIM118
        return (
            Visit(**{name: values[name] for name in _VISIT_FIELDS}),
            Visitor(id=values["visitor_id"], **visitor),
        )

    async def note_seen(self, visit_ids: Collection[str], now: datetime) -> None:
        """Heartbeat of these visits; rows are locked in one order to avoid deadlocks."""
        if visit_ids:
            await self.connection.execute(
                _SEEING, [{"seen": key, "now": now} for key in sorted(set(visit_ids))]
            )

    async def codes_in_use(self, codes: Collection[str], since: datetime) -> set[str]:
        """Which of the promo codes are used by visits since then."""
        return set(
            (
                await self.connection.execute(_CODES, {"codes": list(codes), "since": since})
            ).scalars()
        )

    async def count_records(self, kind: type[Any], visit_ids: Collection[str]) -> dict[str, int]:
        """How many page views, taps or forms these visits have, those that have any."""
        if not visit_ids:
            return {}
        rows = await self.connection.execute(_counting(TABLES[kind]), {"visits": list(visit_ids)})
        return {row.visit_id: row.seen for row in rows}


def _was_left(row: Any) -> bool:
    """Whether a goodbye came; without one the lease lasts for the hold time after the last
    heartbeat.
    """
    return bool(row.ends_at < row.seen_at + timedelta(seconds=row.hold_seconds))


@cache
def _counting(table: Table) -> Select[Any]:
    return (
        select(table.c.visit_id, func.count().label("seen"))
        .where(table.c.visit_id.in_(bindparam("visits", expanding=True)))
        .group_by(table.c.visit_id)
    )
