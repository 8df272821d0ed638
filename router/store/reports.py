"""Sums over visits, leases and calls for plans and reports. Each reads much, so none belongs into a
short transaction.

Moments are numbers on SQLite and timestamps on PostgreSQL (see `tables.Moment`), so reckoning with
them differs.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Interval,
    Select,
    and_,
    case,
    cast,
    distinct,
    func,
    literal,
    not_,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from router.domain.attribution.calibration import TAP_BEFORE, Proof, Witness
from router.domain.attribution.terms import LOOK_BACK, Evidence, Suspect, Verdict
from router.domain.visitors.lease import TURN
from router.domain.visitors.occupancy import Held
from router.domain.visitors.visit import Reason, Rung
from router.service.ports import Stepped
from router.store import tables
from router.store.direct import DirectConnection

_call, _form, _lease, _showing, _tap = (
    tables.call,
    tables.form,
    tables.lease,
    tables.showing,
    tables.tap,
)
_visit = tables.visit
_PLACE = (_visit.c.country, _visit.c.region, _visit.c.city)
_HOUR = 3600
_MICROSECOND = timedelta(microseconds=1)
_EVIDENCE = {evidence.value: evidence for evidence in Evidence}


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

    async def pool_service(
        self, pool_id: str, since: datetime, until: datetime
    ) -> tuple[int, float | None]:
        """How many visits got a number of the pool, and for how many seconds one keeps it before
        the freeze (mean).
        """
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
        kept = case(  # who comes back within the hold has kept the number meanwhile
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
        return visits, float(total / visits) if visits else None

    async def stepped_down(self, pool_id: str, since: datetime, until: datetime) -> list[Stepped]:
        """How many visits were shown less than a number of their own, by what and why."""
        known = func.count(distinct(_showing.c.visit_id))
        # robots, and visitors without consent
        unknown = func.count() - func.count(_showing.c.visit_id)
        query = (
            select(_showing.c.rung, _showing.c.reason, (known + unknown).label("visits"))
            .where(_showing.c.pool_id == pool_id, _showing.c.at >= since, _showing.c.at < until)
            .group_by(_showing.c.rung, _showing.c.reason)
        )
        rows = await self.connection.execute(query)
        return [
            Stepped(rung=Rung(row.rung), reason=Reason(row.reason), visits=row.visits)
            for row in rows
        ]

    async def held(
        self, pool_id: str, since: datetime, until: datetime, longest: timedelta
    ) -> list[Held]:
        """When the pool's numbers were held, by number and beginning. No lease lasts much beyond
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

    async def witnesses(
        self, site_id: str | None, since: datetime, until: datetime, most: int = 1_000_000
    ) -> list[Witness]:
        """What says whose the calls of this time were: taps just before, codes, forms with the
        caller's phone.

        Of each kind the newest `most`. Each is walked from the proof's side, with a window for its
        call on both sides.
        """
        # A static number is shown to all: others, too, may just have tapped it.
        own = _call.c.verdict.is_distinct_from(Verdict.STATIC)
        tapped = (_call.c.number == _tap.c.number, own, *self._shortly_after(_tap.c.at, TAP_BEFORE))
        filled = (_call.c.caller == _form.c.phone, *self._shortly_after(_form.c.at, LOOK_BACK))
        coded = (
            _visit.c.code == _call.c.code,
            *self._shortly_after(_visit.c.started_at, LOOK_BACK),
        )
        taps = _tap.join(_call, and_(*tapped)).join(_visit, _visit.c.id == _tap.c.visit_id)
        forms = _form.join(_call, and_(*filled)).join(_visit, _visit.c.id == _form.c.visit_id)
        codes = _call.join(_visit, and_(*coded))
        queries = {
            Proof.TAP: self._newest(taps, _tap.c.at, since - TAP_BEFORE, until),
            Proof.FORM: self._newest(forms, _form.c.at, since - LOOK_BACK, until),
            Proof.CODE: self._newest(codes, _call.c.arrived_at, since, until).where(
                _call.c.code.is_not(None)
            ),
        }
        # it would read all calls to join and sort them
        if self.connection.dialect.name == "postgresql":
            for way in ("hashjoin", "mergejoin", "seqscan", "sort"):
                await self.connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        found: list[Witness] = []
        for proof, query in queries.items():
            arrived = _unindexed(_call.c.arrived_at)
            mine = query.where(arrived >= since, arrived < until)
            if site_id:
                mine = mine.where(_visit.c.site_id == site_id)
            found += [
                _witness(row, proof) for row in await self.connection.execute(mine.limit(most))
            ]
        return found

    def _newest(self, rows: Any, at: Any, since: datetime, until: datetime) -> Select[Any]:
        """Calls and visitors of the same site that a proof brings together, the newest proof
        first.
        """
        query = select(_call.c.id, _call.c.suspects, _visit.c.visitor_id).select_from(rows)
        same_site = _unindexed(_call.c.site_id) == _visit.c.site_id
        return query.where(at >= since, at < until, same_site).order_by(at.desc())

    def _shortly_after(self, at: Any, length: timedelta) -> tuple[Any, Any]:
        """The call arrived at `at` or later, by at most `length`."""
        if self.connection.dialect.name == "sqlite":
            at, arrived = type_coerce(at, BigInteger), type_coerce(_call.c.arrived_at, BigInteger)
            return arrived >= at, arrived <= at + literal(length // _MICROSECOND, BigInteger)
        return _call.c.arrived_at >= at, _call.c.arrived_at <= at + literal(length, Interval)

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


def _unindexed(column: Any) -> Any:
    """The column in a condition that databases must not look calls up by: they know no better than
    to try.
    """
    return func.coalesce(column, column)


def _witness(row: Any, proof: Proof) -> Witness:
    # As our own code wrote them: parsing all of them would take longer than everything else.
    suspects = (
        Suspect(**(one | {"evidence": tuple(_EVIDENCE[e] for e in one["evidence"])}))
        for one in row.suspects
    )
    return Witness(call_id=row.id, suspects=tuple(suspects), proof=proof, visitor_id=row.visitor_id)
