"""Lease a number to a visitor, keep the lease alive, let it go."""

import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime

from router.domain.lease import Lease, begin, leave, sign_of_life
from router.domain.site import Pool, Site
from router.domain.visit import Visit, Visitor
from router.errors import InvalidInput, NotFound, NumbersExhausted
from router.service.ports import Session, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What a page knows of its visitor when it asks for a number."""

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


async def lease_number(store: Store, pool_id: str, arrival: Arrival, now: datetime) -> Lease:
    """The visitor's number: the one they hold already, else the longest idle of the pool.

    Raises `NotFound` for an unknown pool, `NumbersExhausted` when none is free.
    """
    async with store.write() as session:
        pool = await session.get(Pool, pool_id)
        visitor = await _visitor(session, pool.site_id, arrival, now)
        held = await session.current_lease(visitor.id, pool.id, now)
        held = held and await _still_held(session, held, now)
        if held and (prolonged := sign_of_life(held, pool, now)):
            return await _keep(session, prolonged)
        visit = await _visit(session, visitor, arrival, now)
        return await _begin(session, pool, visitor, visit, held, now)


async def keep_lease(store: Store, lease_id: str, now: datetime) -> Lease:
    """A sign of life. A visitor who returns during the freeze gets a new lease of the same number."""
    async with store.write() as session:
        lease = await session.get(Lease, lease_id)
        pool = await session.get(Pool, lease.pool_id)
        held = await _still_held(session, lease, now)
        if held is None:
            raise NotFound("This lease is over: ask for a number again.")
        if prolonged := sign_of_life(held, pool, now):
            return await _keep(session, prolonged)
        visitor = await session.get(Visitor, lease.visitor_id)
        visit = await session.get(Visit, lease.visit_id)
        return await _begin(session, pool, visitor, visit, held, now)


async def end_visit(store: Store, lease_id: str, now: datetime) -> Lease:
    """The page was left: the freeze begins. A goodbye that comes too late changes nothing."""
    async with store.write() as session:
        lease = await session.get(Lease, lease_id)
        pool = await session.get(Pool, lease.pool_id)
        held = await _still_held(session, lease, now)
        if held is None or held.id != lease.id:
            return lease
        return await _keep(session, leave(held, pool, now))


async def _still_held(session: Session, lease: Lease, now: datetime) -> Lease | None:
    """The newest lease of this number if it is the same visitor's still, the number locked against everyone else."""
    number = await session.lock_number(lease.number)
    if number is None or number.pool_id != lease.pool_id:
        return None  # it was taken out of the pool
    newest = (await session.leases(number=lease.number, limit=1))[0]
    return newest if newest.visitor_id == lease.visitor_id and newest.ends_at > now else None


async def _visitor(session: Session, site_id: str, arrival: Arrival, now: datetime) -> Visitor:
    known = await session.peek(Visitor, arrival.visitor_id) if arrival.visitor_id else None
    ids = {
        name: getattr(arrival, name)
        for name in ("ga_client_id", "ga_session_id", "ym_client_id")
        if getattr(arrival, name)
    }
    if known is None or known.site_id != site_id:
        visitor = Visitor(id=uuid.uuid4().hex, site_id=site_id, created_at=now, **ids)
        await session.add(visitor)
        return visitor
    visitor = replace(known, **ids)
    if visitor != known:
        await session.change(visitor)
    return visitor


async def _visit(session: Session, visitor: Visitor, arrival: Arrival, now: datetime) -> Visit:
    visit = Visit(
        id=uuid.uuid4().hex,
        visitor_id=visitor.id,
        started_at=now,
        landing=arrival.landing,
        referrer=arrival.referrer,
        source=arrival.source,
        medium=arrival.medium,
        campaign=arrival.campaign,
        term=arrival.term,
        content=arrival.content,
        click_ids=arrival.click_ids,
    )
    await session.add(visit)
    return visit


async def _begin(
    session: Session, pool: Pool, visitor: Visitor, visit: Visit, held: Lease | None, now: datetime
) -> Lease:
    number = held.number if held else None
    if number is None:
        idle = await session.take_idle_number(pool.id, now)
        if idle is None:
            raise NumbersExhausted
        number = idle.e164
    lease = begin(pool, id=uuid.uuid4().hex, number=number, visitor_id=visitor.id, visit_id=visit.id, now=now)
    return await _keep(session, lease)


async def _keep(session: Session, lease: Lease) -> Lease:
    await session.save_lease(lease)
    return lease


async def site_of_origin(store: Store, site_id: str, origin: str | None) -> Site:
    """The site, if pages of `origin` may ask in its name (None: not a browser, or the same origin)."""
    async with store.read() as session:
        site = await session.get(Site, site_id)
    if origin is not None and origin not in site.origins:
        raise InvalidInput(f"pages of {origin[:80]} may not lease numbers of site '{site_id}'")
    return site
