"""Leases by pool for programs: one number for one visitor."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from router.domain.ids import new_id
from router.domain.visitors.client_key import Asker
from router.domain.visitors.lease import (
    Lease,
    begin,
    leave,
    sign_of_life,
)
from router.domain.visitors.site import Pool, Site
from router.domain.visitors.visit import Reason, Visit, Visitor
from router.errors import NotFound, NumbersExhausted
from router.service.ports import Session, Store
from router.service.visitors.leasing import NumberRequest, assign_numbers
from router.service.visitors.site_config import check_origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A request for a number."""

    visitor_id: str | None = None  # our cookie, if the browser has one
    ga_client_id: str | None = None
    ga_session_id: str | None = None
    ym_client_id: str | None = None
    landing: str | None = None
    referrer: str | None = None
    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    term: str | None = None
    content: str | None = None
    click_ids: dict[str, str] = field(default_factory=dict)


async def lease_number(
    store: Store, pool_id: str, arrival: Arrival, now: datetime, asker: Asker | None = None
) -> Lease:
    """Lease a number: the one the visitor holds, otherwise one of the pool.

    Raises `NotFound` for an unknown pool, `NumbersExhausted` if none is free or the pool's hourly
    limit is reached.
    """
    async with store.write() as session:
        pool = await session.get(Pool, pool_id)
        known = await session.peek(Visitor, arrival.visitor_id)
        if known and known.site_id != pool.site_id:
            known = None

        new = Visitor(id=new_id(now), site_id=pool.site_id, created_at=now)
        visitor = _told(known or new, arrival)
        visit = _visit(visitor, arrival, now)
        request = NumberRequest(
            pool=pool,
            visitor_id=visitor.id,
            visit_id=visit.id,
            known=known is not None,
            shown=True,
            asker=asker,
        )
        assignment = await assign_numbers(session, [request], now)
        lease = assignment.results[0]
        if isinstance(lease, Reason):
            raise NumbersExhausted
        if known is None:
            await session.add(visitor)
        elif visitor != known:
            await session.change(visitor)
        if lease.visit_id == visit.id:
            await session.add(visit)
        await session.leases.save(assignment.changed)
        return lease


async def keep_lease(store: Store, lease_id: str, now: datetime) -> Lease:
    """Heartbeat of a lease. A visitor who returns during the freeze gets a new lease of the same
    number.
    """
    async with store.write() as session:
        lease = await session.get(Lease, lease_id)
        pool = await session.get(Pool, lease.pool_id)
        held = await _still_held(session, lease, now)
        if held is None:
            raise NotFound("This lease is over: request a number again.")
        who = {"visitor_id": lease.visitor_id, "visit_id": lease.visit_id}
        kept = sign_of_life(held, pool, now) or begin(
            pool, id=new_id(now), number=lease.number, now=now, **who
        )
        await session.leases.save([kept])
        return kept


async def end_visit(store: Store, lease_id: str, now: datetime) -> Lease:
    """The page was left: begin the freeze. A late goodbye changes nothing."""
    async with store.write() as session:
        lease = await session.get(Lease, lease_id)
        pool = await session.get(Pool, lease.pool_id)
        held = await _still_held(session, lease, now)
        if held is None or held.id != lease.id:
            return lease
        left = leave(held, pool, now)
        await session.leases.save([left])
        return left


async def site_of_origin(store: Store, site_id: str, origin: str | None) -> Site:
    """The site, if pages of `origin` are allowed (None: not a browser, or the same origin)."""
    async with store.read_inline() as session:
        site = await session.get(Site, site_id)
    check_origin(site, origin)
    return site


async def _still_held(session: Session, lease: Lease, now: datetime) -> Lease | None:
    """The newest lease of this number if it is still the same visitor's; locks the number."""
    number = await session.leases.lock_number(lease.number)
    if number is None or number.pool_id != lease.pool_id:
        return None  # it was removed from the pool
    newest = (await session.leases.find(number=lease.number, limit=1))[0]
    if newest.visitor_id == lease.visitor_id and newest.ends_at > now:
        return newest
    return None


def _told(visitor: Visitor, arrival: Arrival) -> Visitor:
    names = ("ga_client_id", "ga_session_id", "ym_client_id")
    ids = {name: getattr(arrival, name) for name in names if getattr(arrival, name)}
    if not ids:
        return visitor
    return replace(visitor, **ids)


def _visit(visitor: Visitor, arrival: Arrival, now: datetime) -> Visit:
    names = (
        "landing",
        "referrer",
        "source",
        "medium",
        "campaign",
        "term",
        "content",
        "click_ids",
        "ga_session_id",
    )
    facts = {name: getattr(arrival, name) for name in names}
    return Visit(id=new_id(now), visitor_id=visitor.id, started_at=now, **facts)
