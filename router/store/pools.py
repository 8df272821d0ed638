"""How pools of numbers are used: sums over visits and leases, for plans and reports.

Each reads much, so none belongs into a short transaction. Moments are numbers on SQLite and
timestamps on PostgreSQL (see `tables.Moment`), so reckoning with them differs.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    case,
    cast,
    distinct,
    func,
    not_,
    or_,
    select,
    type_coerce,
)

from router.domain.visitors.lease import TURN
from router.domain.visitors.occupancy import Held
from router.domain.visitors.visit import DisplayLevel, Reason
from router.service.visitors.ports import FallbackCount
from router.store import tables
from router.store.direct import AnyConnection

_call, _form, _lease, _fallback, _tap = (
    tables.call,
    tables.form,
    tables.lease,
    tables.fallback,
    tables.tap,
)
_visit = tables.visit
_PLACE = (_visit.c.country, _visit.c.region, _visit.c.city)
_HOUR = 3600


def _lies_in(regions: Collection[str]) -> Any:
    """As `Place.lies_in` says it; names are in English."""
    names = [region.casefold() for region in regions]
    return or_(*(func.lower(func.coalesce(column, "")).in_(names) for column in _PLACE))


@dataclass(frozen=True, slots=True)
class SqlPools:
    """The `Pools` of `router.service.visitors.ports`."""

    connection: AnyConnection

    async def arrivals(
        self,
        site_id: str,
        since: datetime,
        until: datetime,
        *,
        regions: Collection[str] = (),
        without: Collection[str] = (),
    ) -> dict[datetime, int]:
        """How many visits began in each hour in which one did; `regions` alone, or all but those
        `without`.
        """
        hour = self._hour(_visit.c.started_at).label("hour")
        query = (
            select(hour, func.count().label("visits"))
            .where(
                _visit.c.site_id == site_id,
                _visit.c.started_at >= since,
                _visit.c.started_at < until,
            )
            .group_by(hour)
        )
        if regions:
            query = query.where(_lies_in(regions))
        elif without:
            query = query.where(not_(_lies_in(without)))
        rows = await self.connection.execute(query)
        return {datetime.fromtimestamp(row.hour * _HOUR, UTC): row.visits for row in rows}

    async def service(
        self, pool_id: str, since: datetime, until: datetime
    ) -> tuple[int, float | None]:
        """Visits with a number of the pool, and the mean seconds before the freeze."""
        following = func.lead(_lease.c.started_at).over(
            partition_by=_lease.c.visit_id, order_by=_lease.c.started_at
        )
        mine = (
            _lease.c.pool_id == pool_id,
            _lease.c.started_at >= since,
            _lease.c.started_at < until,
        )
        leases = select(_lease, following.label("next_at")).where(*mine).subquery()
        silent = self._seconds(leases.c.frozen_at) - self._seconds(leases.c.seen_at)
        kept = case(  # a visitor who returns within the hold time kept the number
            # left, with a goodbye
            (
                leases.c.next_at.is_(None) & (silent <= TURN.total_seconds()),
                leases.c.seen_at,
            ),
            (leases.c.next_at.is_(None), leases.c.frozen_at),
            (leases.c.next_at < leases.c.ends_at, leases.c.next_at),
            else_=leases.c.ends_at,
        )
        seconds = func.sum(self._seconds(kept) - self._seconds(leases.c.started_at))
        query = select(func.count(distinct(leases.c.visit_id)), seconds).select_from(leases)
        visits, total = (await self.connection.execute(query)).one()
        if not visits:
            return 0, None
        return visits, float(total / visits)

    async def fallbacks(
        self, pool_id: str, since: datetime, until: datetime
    ) -> list[FallbackCount]:
        """Visits that were shown a fallback, by level and reason."""
        known = func.count(distinct(_fallback.c.visit_id))
        # robots, and visitors without consent
        unknown = func.count() - func.count(_fallback.c.visit_id)
        query = (
            select(_fallback.c.level, _fallback.c.reason, (known + unknown).label("visits"))
            .where(_fallback.c.pool_id == pool_id, _fallback.c.at >= since, _fallback.c.at < until)
            .group_by(_fallback.c.level, _fallback.c.reason)
        )
        rows = await self.connection.execute(query)
        counts = []
        for row in rows:
            counts.append(
                FallbackCount(
                    level=DisplayLevel(row.level), reason=Reason(row.reason), visits=row.visits
                )
            )
        return counts

    async def held(
        self, pool_id: str, since: datetime, until: datetime, longest: timedelta
    ) -> list[Held]:
        """When the pool's numbers were in use, by number and start. No lease lasts much longer than
        `longest`.
        """
        query = (
            select(_lease.c.number, _lease.c.started_at, _lease.c.ends_at)
            .where(
                _lease.c.pool_id == pool_id,
                _lease.c.started_at >= since - longest,
                _lease.c.started_at < until,
                _lease.c.ends_at > since,
            )
            .order_by(_lease.c.number, _lease.c.started_at)
        )
        rows = await self.connection.execute(query)
        return [Held(number=row.number, since=row.started_at, until=row.ends_at) for row in rows]

    def _seconds(self, moment: Any) -> Any:
        """A moment's seconds since 1970."""
        if self.connection.dialect.name == "sqlite":
            return type_coerce(moment, BigInteger) / 1_000_000.0
        return func.extract("epoch", moment)

    def _hour(self, moment: Any) -> Any:
        """The whole hours of a moment since 1970."""
        if self.connection.dialect.name == "sqlite":
            return type_coerce(moment, BigInteger) // (_HOUR * 1_000_000)
        return cast(func.floor(func.extract("epoch", moment) / _HOUR), BigInteger)
