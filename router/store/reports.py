"""Sums over visits, leases and calls for plans and reports. Each reads much, so none belongs into a short transaction.

Moments are numbers on SQLite and timestamps on PostgreSQL (see `tables.Moment`), so reckoning with them differs.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import BigInteger, Interval, case, cast, distinct, func, literal, not_, or_, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from router.domain.attribution import LOOK_BACK, Suspect, Verdict
from router.domain.lease import TURN
from router.domain.occupancy import Held
from router.domain.reliability import TAP_BEFORE, Proof, Witness
from router.domain.visit import Reason, Rung
from router.service.ports import Stepped
from router.store import tables
from router.store.direct import DirectConnection

_call, _form, _lease, _showing, _tap = tables.call, tables.form, tables.lease, tables.showing, tables.tap
_visit, _visitor = tables.visit, tables.visitor
_PLACE = (_visit.c.country, _visit.c.region, _visit.c.city)
_HOUR = 3600
_MICROSECOND = timedelta(microseconds=1)
_SUSPECTS = TypeAdapter(tuple[Suspect, ...]).validate_python


def _lies_in(regions: Collection[str]) -> Any:
    """As `Place.lies_in` says it; names are in English."""
    names = [region.casefold() for region in regions]
    return or_(*(func.lower(func.coalesce(column, "")).in_(names) for column in _PLACE))


class Reports:
    """The part of a session that knows sums."""

    connection: AsyncConnection | DirectConnection

    async def arrivals(
        self,
        site_id: str,
        since: datetime,
        until: datetime,
        *,
        regions: Collection[str] = (),
        without: Collection[str] = (),
    ) -> dict[datetime, int]:
        """How many visits began in each hour in which one did; `regions` alone, or all but those `without`."""
        hour = self._hour(_visit.c.started_at).label("hour")
        query = (
            select(hour, func.count().label("visits"))
            .join(_visitor, _visitor.c.id == _visit.c.visitor_id)
            .where(_visitor.c.site_id == site_id, _visit.c.started_at >= since, _visit.c.started_at < until)
            .group_by(hour)
        )
        if regions:
            query = query.where(_lies_in(regions))
        elif without:
            query = query.where(not_(_lies_in(without)))
        rows = await self.connection.execute(query)
        return {datetime.fromtimestamp(row.hour * _HOUR, UTC): row.visits for row in rows}

    async def pool_service(self, pool_id: str, since: datetime, until: datetime) -> tuple[int, float | None]:
        """How many visits got a number of the pool, and for how many seconds one keeps it before the freeze (mean)."""
        following = func.lead(_lease.c.started_at).over(partition_by=_lease.c.visit_id, order_by=_lease.c.started_at)
        mine = (_lease.c.pool_id == pool_id, _lease.c.started_at >= since, _lease.c.started_at < until)
        leases = select(_lease, following.label("next_at")).where(*mine).subquery()
        silent = self._seconds(leases.c.frozen_at) - self._seconds(leases.c.seen_at)
        kept = case(  # who comes back within the hold has kept the number meanwhile
            (leases.c.next_at.is_(None) & (silent <= TURN.total_seconds()), leases.c.seen_at),  # left, with a goodbye
            (leases.c.next_at.is_(None), leases.c.frozen_at),
            (leases.c.next_at < leases.c.ends_at, leases.c.next_at),
            else_=leases.c.ends_at,
        )
        seconds = func.sum(self._seconds(kept) - self._seconds(leases.c.started_at))
        query = select(func.count(distinct(leases.c.visit_id)), seconds).select_from(leases)
        visits, total = (await self.connection.execute(query)).one()
        return visits, float(total / visits) if visits else None

    async def stepped_down(self, pool_id: str, since: datetime, until: datetime) -> list[Stepped]:
        """How many visits were shown less than a number of their own, by what and why."""
        known = func.count(distinct(_showing.c.visit_id))
        unknown = func.count() - func.count(_showing.c.visit_id)  # robots, and visitors without consent
        query = (
            select(_showing.c.rung, _showing.c.reason, (known + unknown).label("visits"))
            .where(_showing.c.pool_id == pool_id, _showing.c.at >= since, _showing.c.at < until)
            .group_by(_showing.c.rung, _showing.c.reason)
        )
        rows = await self.connection.execute(query)
        return [Stepped(rung=Rung(row.rung), reason=Reason(row.reason), visits=row.visits) for row in rows]

    async def held(self, pool_id: str, since: datetime, until: datetime, longest: timedelta) -> list[Held]:
        """When the pool's numbers were held, by number and beginning. No lease lasts much beyond `longest`."""
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

    async def witnesses(self, site_id: str | None, since: datetime, until: datetime) -> list[Witness]:
        """What says whose the calls of this time were: taps just before, codes, forms with the caller's phone."""
        # A static number is shown to all: others, too, may just have tapped it.
        own = _call.c.verdict.is_distinct_from(Verdict.STATIC)
        tapped = (_tap.c.number == _call.c.number, own, *self._shortly_before(_tap.c.at, TAP_BEFORE))
        filled = (_form.c.phone == _call.c.caller, *self._shortly_before(_form.c.at, LOOK_BACK))
        coded = (_visit.c.code == _call.c.code, *self._shortly_before(_visit.c.started_at, LOOK_BACK))
        who = (_call.c.id, _call.c.suspects, _visit.c.visitor_id)
        queries = {
            Proof.TAP: select(*who).join(_tap, tapped[0]).join(_visit, _visit.c.id == _tap.c.visit_id).where(*tapped),
            Proof.FORM: select(*who)
            .join(_form, filled[0])
            .join(_visit, _visit.c.id == _form.c.visit_id)
            .where(*filled),
            Proof.CODE: select(*who).join(_visit, coded[0]).where(*coded),
        }
        found: list[Witness] = []
        for proof, query in queries.items():
            rows = await self.connection.execute(
                query.join(_visitor, _visitor.c.id == _visit.c.visitor_id).where(
                    _call.c.arrived_at >= since,
                    _call.c.arrived_at < until,
                    _visitor.c.site_id == _call.c.site_id,
                    *([_call.c.site_id == site_id] if site_id else []),
                )
            )
            found += [
                Witness(call_id=row.id, suspects=_SUSPECTS(row.suspects), proof=proof, visitor_id=row.visitor_id)
                for row in rows
            ]
        return found

    def _shortly_before(self, at: Any, length: timedelta) -> tuple[Any, Any]:
        """`at` lies before the call's arrival by at most `length`."""
        if self.connection.dialect.name == "sqlite":
            at, arrived = type_coerce(at, BigInteger), type_coerce(_call.c.arrived_at, BigInteger)
            return at <= arrived, at >= arrived - literal(length // _MICROSECOND, BigInteger)
        return at <= _call.c.arrived_at, at >= _call.c.arrived_at - literal(length, Interval)

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
