"""Numbers and leases in the store."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, or_, select, update

from router.domain.visitors.client_key import Asker
from router.domain.visitors.lease import Lease
from router.domain.visitors.site import NumberKind, TrackingNumber
from router.service.visitors.ports import Holder
from router.store import tables
from router.store.direct import AnyConnection
from router.store.records import (
    from_any_row,
    from_row,
    from_rows,
    from_rows_by,
    rows_among,
    to_rows,
)
from router.store.writing import upsert

_lease, _number, _visitor, _visit = tables.lease, tables.number, tables.visitor, tables.visit
_NEWEST_FIRST = (_lease.c.started_at.desc(), _lease.c.ends_at.desc(), _lease.c.id)

# Built once: building a statement costs more than executing it.
_BEGUN = (_lease.c.number == bindparam("number"), _lease.c.started_at <= bindparam("at"))
_LAST = select(_lease).where(*_BEGUN).order_by(*_NEWEST_FIRST).limit(1)
_HOLDER = (
    select(
        _lease.c.id, _lease.c.ends_at, _visitor.c.ga_client_id, _visit.c.source, _visit.c.campaign
    )
    .join(_visitor, _visitor.c.id == _lease.c.visitor_id)
    .join(_visit, _visit.c.id == _lease.c.visit_id)
    .where(*_BEGUN)
    .order_by(*_NEWEST_FIRST)
    .limit(1)
)
# in one order: no deadlocks
_LOCKED = rows_among(_number, "e164").order_by(_number.c.e164).with_for_update()
_TAKING = (
    update(_number).where(_number.c.e164 == bindparam("taken")).values(free_at=bindparam("until"))
)
_BEGUN_SINCE = (
    select(func.count(_lease.c.visit_id.distinct()))
    .select_from(_lease)
    .where(_lease.c.pool_id == bindparam("pool"), _lease.c.started_at > bindparam("since"))
)

_holding = tables.holding
_POOL_SIZE = select(func.count()).where(_number.c.pool_id == bindparam("pool"))
_held_now = (
    _holding.c.e164 == _number.c.e164,
    _number.c.pool_id == bindparam("pool"),
    _number.c.free_at > bindparam("now"),
    _holding.c.client_key != "",
)
_HOLDINGS = select(_holding.c.client_key, _holding.c.network).where(
    *_held_now,
    or_(
        _holding.c.client_key.in_(bindparam("client_keys", expanding=True)),
        _holding.c.network.in_(bindparam("networks", expanding=True)),
    ),
)


def _having_over(column: ColumnElement[str], most: str) -> Any:
    # not the rows of the statement around it
    own = select(column).where(*_held_now).correlate(None)
    return own.group_by(column).having(func.count() > bindparam(most))


_MOST_HELD = (
    select(_holding.c.network, func.count().label("held"))
    .where(*_held_now)
    .group_by(_holding.c.network)
    .order_by(func.count().desc(), _holding.c.network)
    .limit(1)
)
_OVER_HELD = (
    select(_lease)
    .join(_number, (_number.c.e164 == _lease.c.number) & (_number.c.free_at == _lease.c.ends_at))
    .join(_holding, _holding.c.e164 == _number.c.e164)
    .where(
        _number.c.pool_id == bindparam("pool"),
        _lease.c.pool_id == bindparam("pool"),
        _lease.c.ends_at > bindparam("now"),
        or_(
            _holding.c.client_key.in_(_having_over(_holding.c.client_key, "share")),
            _holding.c.network.in_(_having_over(_holding.c.network, "network_share")),
            ~_lease.c.shown & (_lease.c.started_at <= bindparam("unshown_since")),
        ),
    )
    .order_by(_lease.c.shown, _lease.c.seen_at, _lease.c.id)
    .limit(bindparam("most"))
    .with_for_update(of=_number, skip_locked=True)
)

DIRTY = 3  # unattributed calls in 90 days: some misdials are normal
_IDLE = (
    select(_number.c.e164)
    .where(
        _number.c.pool_id == bindparam("pool"),
        _number.c.kind == NumberKind.DYNAMIC,
        _number.c.free_at <= bindparam("now"),
    )
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_IDLE_CLEAN = _IDLE.where(_number.c.unattributed_calls < bindparam("dirty")).order_by(
    _number.c.free_at, _number.c.e164
)
_IDLE_DIRTY = _IDLE.where(_number.c.unattributed_calls >= bindparam("dirty")).order_by(
    _number.c.unattributed_calls / bindparam("dirty"), _number.c.free_at, _number.c.e164
)

_ranked = (
    select(
        _lease,
        func.row_number()
        .over(partition_by=(_lease.c.visitor_id, _lease.c.pool_id), order_by=_NEWEST_FIRST)
        .label("rank"),
    )
    .where(_lease.c.visitor_id.in_(bindparam("visitors", expanding=True)))
    .subquery()
)
_NEWEST = select(*(column for column in _ranked.c if column.name != "rank")).where(
    _ranked.c.rank == 1
)


_UNKNOWN = Asker(client_key="", network="")


@dataclass(frozen=True, slots=True)
class SqlLeases:
    """The `Leases` of `router.service.visitors.ports`."""

    connection: AnyConnection

    async def lock_number(self, e164: str) -> TrackingNumber | None:
        """A number, locked until the transaction ends."""
        return (await self.lock_numbers([e164])).get(e164)

    async def lock_numbers(self, e164s: Collection[str]) -> dict[str, TrackingNumber]:
        """The existing ones of these numbers, locked until the transaction ends."""
        rows = await self.connection.execute(_LOCKED, {"keys": list(e164s)})
        return from_rows_by("e164", TrackingNumber, rows)

    async def lock_idle_numbers(self, pool_id: str, now: datetime, most: int = 1) -> list[str]:
        """Idle numbers of the pool, locked until the transaction ends: longest idle first, those
        with many unattributed calls last.
        """
        values = {"pool": pool_id, "now": now, "dirty": DIRTY}
        taken = list(
            (await self.connection.execute(_IDLE_CLEAN, {**values, "most": most})).scalars()
        )
        if len(taken) < most:
            rest = await self.connection.execute(_IDLE_DIRTY, {**values, "most": most - len(taken)})
            taken.extend(rest.scalars())
        return taken

    async def save(self, leases: Sequence[Lease]) -> None:
        """Save leases, and until when their numbers are taken."""
        if leases:
            await upsert(self.connection, _lease, to_rows(leases))
            taken = [{"taken": lease.number, "until": lease.ends_at} for lease in leases]
            await self.connection.execute(_TAKING, taken)

    async def newest(self, visitor_ids: Collection[str]) -> dict[tuple[str, str], Lease]:
        """The newest lease of each of these visitors in each pool, by visitor and pool."""
        if not visitor_ids:
            return {}
        rows = await self.connection.execute(_NEWEST, {"visitors": list(visitor_ids)})
        return {(row.visitor_id, row.pool_id): from_row(Lease, row) for row in rows}

    async def holdings(
        self, pool_id: str, askers: Sequence[Asker], now: datetime
    ) -> tuple[int, dict[str, int], dict[str, int]]:
        """The pool's size, and how many numbers the lines and networks of these clients hold."""
        numbers = (await self.connection.execute(_POOL_SIZE, {"pool": pool_id})).scalar_one()
        wanted = {
            "client_keys": [asker.client_key for asker in askers],
            "networks": [asker.network for asker in askers],
        }
        rows = (
            await self.connection.execute(_HOLDINGS, {"pool": pool_id, "now": now, **wanted})
        ).all()
        return (
            int(numbers),
            Counter(row.client_key for row in rows),
            Counter(row.network for row in rows),
        )

    async def lock_over_held(
        self,
        pool_id: str,
        now: datetime,
        most: int,
        share: int,
        network_share: int,
        unshown_since: datetime,
    ) -> list[Lease]:
        """Leases of clients above their share, and of pages that have not shown their number. Their
        numbers are locked until the transaction ends; those with the latest heartbeat come last.
        """
        values = {"pool": pool_id, "now": now, "most": most, "unshown_since": unshown_since}
        rows = await self.connection.execute(
            _OVER_HELD, {**values, "share": share, "network_share": network_share}
        )
        return from_rows(Lease, rows)

    async def note_holders(self, holders: Mapping[str, Asker | None], now: datetime) -> None:
        """Store from where these numbers are held, replacing former holders."""
        rows = []
        for e164, holder in holders.items():
            known = holder or _UNKNOWN
            rows.append(
                {
                    "e164": e164,
                    "client_key": known.client_key,
                    "network": known.network,
                    "at": now,
                }
            )
        await upsert(self.connection, _holding, rows)

    async def most_held(self, pool_id: str, now: datetime) -> tuple[str, int] | None:
        """The network that holds most numbers of the pool now, and how many."""
        row = (await self.connection.execute(_MOST_HELD, {"pool": pool_id, "now": now})).first()
        if not row:
            return None
        return (row.network, row.held)

    async def count_begun(self, pool_id: str, since: datetime) -> int:
        """How many visits started a lease from the pool since then."""
        counted = await self.connection.execute(_BEGUN_SINCE, {"pool": pool_id, "since": since})
        return int(counted.scalar_one())

    async def holder(self, number: str, now: datetime) -> Holder | None:
        """The holder of the number now, present or frozen. Reads little, because a caller waits for
        it.
        """
        row = (await self.connection.execute(_HOLDER, {"number": number, "at": now})).first()
        if row is None or row.ends_at <= now:
            return None
        return Holder(
            lease_id=row.id, client_id=row.ga_client_id, campaign=row.campaign, source=row.source
        )

    async def last(self, moments: Sequence[tuple[str, datetime]]) -> list[Lease | None]:
        """For each (number, moment): the last lease of the number that began at or before the
        moment.
        """
        found = []
        for number, at in moments:
            row = (await self.connection.execute(_LAST, {"number": number, "at": at})).first()
            found.append(from_any_row(Lease, row))
        return found

    async def find(
        self, *, number: str | None = None, visitor_id: str | None = None, limit: int = 50
    ) -> list[Lease]:
        """Leases of a number or a visitor, the newest first."""
        query = select(_lease).order_by(*_NEWEST_FIRST).limit(limit)
        if number:
            query = query.where(_lease.c.number == number)
        if visitor_id:
            query = query.where(_lease.c.visitor_id == visitor_id)
        return from_rows(Lease, await self.connection.execute(query))
