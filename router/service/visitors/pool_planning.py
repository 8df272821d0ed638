"""Usage of a pool, the numbers it needs, and a warning before it runs out."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog

from router.domain.visitors.client_key import network_share
from router.domain.visitors.erlang import ASKING, DAYS, SHARES, Need, blocking, plan
from router.domain.visitors.occupancy import AN_HOUR, HourHeld, Shortage, most_held, shortage
from router.domain.visitors.site import Pool, TrackingNumber
from router.domain.visitors.visit import DisplayLevel, Reason
from router.errors import DatabaseUnavailable
from router.service.clock import Clock
from router.service.ports import Session, Store
from router.service.visitors.ports import FallbackCount

log = structlog.get_logger()

LOOKED_AT = timedelta(days=7)  # of service
HOLDS = (900, 1800, 3600, 7200, 86_400)  # seconds
PAGE_SECONDS = 180.0  # on the page, if there are no leases
FEW_VISITS = 200  # with fewer visits a plan is mostly chance
FEW_DAYS = 7  # with fewer days a weekday is missing
WATCH_EVERY = 3600.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolReport:
    """Usage of a pool over the last seven days, without robots."""

    pool: Pool
    numbers: int
    leased: int  # now
    levels: dict[DisplayLevel, int]  # visits by display level
    fallbacks: tuple[FallbackCount, ...]  # … and reasons for fallbacks
    hours: tuple[HourHeld, ...]  # peak numbers in use
    shortage: Shortage | None
    most_from: tuple[str, int] | None  # the network that holds most numbers now, and how many

    @property
    def over_share(self) -> tuple[str, int] | None:
        """The network that holds more than its share now."""
        over = self.most_from and self.most_from[1] > network_share(self.numbers)
        if not over:
            return None
        return self.most_from

    @property
    def idle(self) -> int:
        """Idle numbers."""
        return self.numbers - self.leased

    @property
    def visits(self) -> int:
        """Visits that requested a number."""
        return sum(self.levels.values())

    @property
    def own_share(self) -> float | None:
        """The share of visits with a dynamic number; None without visits."""
        if not self.visits:
            return None
        return self.levels[DisplayLevel.DYNAMIC] / self.visits

    @property
    def most_held(self) -> int:
        """Peak numbers in use."""
        return max((hour.most for hour in self.hours), default=0)


class Basis(StrEnum):
    """Basis of the share of visitors who ask for the number."""

    MEASURED = "measured"  # on this pool
    PUBLISHED = "published"  # of other sites
    GIVEN = "given"  # given as an option


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """Numbers needed for one hold time, if every visitor gets one and if only those who ask."""

    hold_seconds: int
    everyone: Need
    on_request: Need
    without: float  # share of visitors without a number, with the current settings


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPlan:
    """A pool's plan and its basis."""

    pool: Pool
    numbers: int  # that it has
    days: int  # of visits used
    visits: int
    busiest_hour: int  # visits
    page_seconds: float  # before the freeze, on average
    page_measured: bool
    asking: float
    asking_basis: Basis
    too_little: bool  # enough history
    shares: tuple[float, ...]
    rows: tuple[PlanRow, ...]


async def report_pool(store: Store, pool: Pool, now: datetime) -> PoolReport:
    """Usage of the pool."""
    async with store.read() as session:
        return await _report(session, pool, now)


async def plan_pool(
    store: Store,
    pool: Pool,
    now: datetime,
    *,
    holds: Iterable[int] = (),
    shares: Sequence[float] = (),
    asking: float | None = None,
) -> PoolPlan:
    """Plan the pool by its site's visits; `asking` replaces the measured or published share."""
    until = _hour(now)
    since = until - timedelta(days=DAYS)
    async with store.read() as session:
        arrivals = await _arrivals(session, pool, since, until)
        served, page_seconds = await session.pools.service(pool.id, since, until)
        fallbacks = await session.pools.fallbacks(pool.id, since, until)
        numbers = len(await session.find(TrackingNumber, pool_id=pool.id))
    visits = int(sum(arrivals))
    measured = 0.0
    if visits:
        asked = sum(given.visits for given in fallbacks if given.reason is not Reason.ROBOT)
        measured = (served + asked) / visits

    page_measured = page_seconds is not None
    if page_seconds is None:
        page_seconds = PAGE_SECONDS

    share_asking, basis = ASKING, Basis.PUBLISHED
    if asking is not None:
        share_asking, basis = asking, Basis.GIVEN
    elif pool.on_request and visits >= FEW_VISITS and 0 < measured <= 1:
        share_asking, basis = measured, Basis.MEASURED
    rows = _rows(
        pool,
        arrivals,
        page_seconds=page_seconds,
        asking=share_asking,
        numbers=numbers,
        holds=sorted({*(holds or HOLDS), pool.hold_seconds}),
        shares=tuple(shares or SHARES),
    )
    days = -(-len(arrivals) // 24)
    return PoolPlan(
        pool=pool,
        numbers=numbers,
        days=days,
        visits=visits,
        busiest_hour=int(max(arrivals, default=0)),
        page_seconds=page_seconds,
        page_measured=page_measured,
        asking=share_asking,
        asking_basis=basis,
        too_little=visits < FEW_VISITS or days < FEW_DAYS,
        shares=tuple(shares or SHARES),
        rows=rows,
    )


async def short_pools(store: Store, now: datetime) -> list[PoolReport]:
    """The pools that ran out of numbers or nearly did."""
    async with store.read() as session:
        reports = [await _report(session, pool, now) for pool in await session.find(Pool)]
    return [report for report in reports if report.shortage]


async def watch_pools(store: Store, clock: Clock, every: float = WATCH_EVERY) -> None:
    """Log once when a pool becomes short, and once when it no longer is. Never returns."""
    known: dict[str, Shortage | None] = {}
    while True:
        with suppress(DatabaseUnavailable):  # the worker says so
            short = {report.pool.id: report for report in await short_pools(store, clock())}
            _say(short, known)
            known = {key: report.shortage for key, report in short.items()}
        await asyncio.sleep(every)


def _say(short: dict[str, PoolReport], known: dict[str, Shortage | None]) -> None:
    for key, report in short.items():
        if known.get(key) is not report.shortage:
            held, why = report.most_held, str(report.shortage)
            network, count = report.over_share or (None, None)
            log.warning(
                "pool_short",
                pool=key,
                why=why,
                numbers=report.numbers,
                most_held=held,
                network=network,
                network_holds=count,
            )
    for key in known.keys() - short.keys():
        log.info("pool_enough", pool=key)


async def _report(session: Session, pool: Pool, now: datetime) -> PoolReport:
    until = _hour(now) + AN_HOUR
    since = until - LOOKED_AT
    numbers = await session.find(TrackingNumber, pool_id=pool.id)
    served, _ = await session.pools.service(pool.id, since, until)
    fallbacks = tuple(
        s
        for s in await session.pools.fallbacks(pool.id, since, until)
        if s.reason is not Reason.ROBOT
    )
    longest = timedelta(seconds=pool.hold_seconds, days=1)  # a day on the page is long
    hours = most_held(await session.pools.held(pool.id, since, until, longest), since, until)
    levels = {
        level: sum(s.visits for s in fallbacks if s.level is level) for level in DisplayLevel
    } | {DisplayLevel.DYNAMIC: served}
    by_reason = {
        reason: sum(s.visits for s in fallbacks if s.reason is reason) for reason in Reason
    }
    return PoolReport(
        pool=pool,
        numbers=len(numbers),
        leased=sum(number.free_at > now for number in numbers),
        levels=levels,
        fallbacks=fallbacks,
        hours=hours,
        shortage=shortage(
            numbers=len(numbers),
            most_held=max(hour.most for hour in hours),
            found_empty=by_reason[Reason.EMPTY],
            over_budget=by_reason[Reason.BUDGET],
        ),
        most_from=await session.leases.most_held(pool.id, now),
    )


async def _arrivals(session: Session, pool: Pool, since: datetime, until: datetime) -> list[float]:
    """Visits of the pool per hour, from the first one on."""
    others = [p for p in await session.find(Pool, site_id=pool.site_id) if p.id != pool.id]
    taken = {region for other in others for region in other.regions}
    by_hour = await session.pools.arrivals(
        pool.site_id, since, until, regions=pool.regions, without=taken
    )
    if not by_hour:
        return []
    hours = int((until - min(by_hour)) / AN_HOUR)
    return [by_hour.get(until - AN_HOUR * (hours - index), 0) for index in range(hours)]


def _rows(
    pool: Pool,
    arrivals: Sequence[float],
    *,
    page_seconds: float,
    asking: float,
    numbers: int,
    holds: Sequence[int],
    shares: tuple[float, ...],
) -> tuple[PlanRow, ...]:
    silence = pool.hold_seconds - pool.freeze_seconds

    def needs(share: float) -> tuple[Need, ...]:
        return plan(
            arrivals,
            page_seconds=page_seconds,
            silence_seconds=silence,
            holds=holds,
            shares=shares,
            asking=share,
        )

    rows = []
    for everyone, on_request in zip(needs(1.0), needs(asking), strict=True):
        erlangs = everyone.erlangs
        if pool.on_request:
            erlangs = on_request.erlangs

        row = PlanRow(
            hold_seconds=everyone.hold_seconds,
            everyone=everyone,
            on_request=on_request,
            without=blocking(numbers, erlangs),
        )
        rows.append(row)
    return tuple(rows)


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
