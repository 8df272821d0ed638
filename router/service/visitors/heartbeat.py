"""Keeps the visits of one moment alive: their numbers stay theirs, or come back, or another one
takes their place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from router.domain.ids import new_id
from router.domain.visitors.client_key import Asker
from router.domain.visitors.lease import Lease
from router.domain.visitors.visit import PageView, Showing, Visit, Visitor
from router.service.ports import Session
from router.service.visitors.display import From, Shown, shown, step_down
from router.service.visitors.identities import Ids, Said, store_ids
from router.service.visitors.leasing import Wish, allot
from router.service.visitors.limits import Limits, take
from router.service.visitors.page_open import MOST_VIEWS
from router.service.visitors.site_config import Setup


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """A sign of life of a page."""

    setup: Setup
    visit: Visit
    visitor: Visitor
    now: datetime
    address: str
    asker: Asker | None  # the same, as shares of a pool are counted by it
    lease_ids: Sequence[str] = ()  # those whose numbers the page shows
    pool_ids: Sequence[str] = ()  # whose numbers it asks for
    path: str | None = None  # a page opened without loading, as applications in one page do
    ids: Ids


class Keeper:
    """Takes signs of life, those of one transaction together."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    async def keep(self, session: Session, stays: Sequence[Stay]) -> list[dict[str, Shown]]:
        """For each page the numbers that it does not show yet, by pool."""
        now = max(stay.now for stay in stays)
        wishes, wishers = await _wishes(session, stays)
        allotment = await allot(session, wishes, now)
        numbers: list[dict[str, Shown]] = [{} for _ in stays]
        showings: list[Showing] = []
        for (at, wish), result in zip(wishers, allotment.results, strict=True):
            stay = stays[at]
            if isinstance(result, Lease):
                if result.id not in stay.lease_ids:
                    numbers[at][wish.pool.id] = shown(result)
                continue
            came = From(
                source=stay.visit.source, medium=stay.visit.medium, channel=stay.visit.channel
            )
            numbers[at][wish.pool.id], kept = step_down(
                stay.setup, wish.pool, came, result, stay.visit.id, now
            )
            if take(self._limits.refusals, stay.address, session):
                showings.append(kept)
        await _note(session, stays, self._limits, now)
        await session.leases.save(allotment.changed)
        await session.add(*showings)
        return numbers


async def _wishes(
    session: Session, stays: Sequence[Stay]
) -> tuple[list[Wish], list[tuple[int, Wish]]]:
    leases = await session.get_many(Lease, {key for stay in stays for key in stay.lease_ids})
    wishers = []
    for at, stay in enumerate(stays):
        mine = [
            lease
            for key in stay.lease_ids
            if (lease := leases.get(key)) and lease.visitor_id == stay.visitor.id
        ]
        shown = {lease.pool_id for lease in mine}
        for pool_id in dict.fromkeys([*stay.pool_ids, *shown]):
            if pool := stay.setup.pools.get(pool_id):
                wish = Wish(
                    pool=pool,
                    visitor_id=stay.visitor.id,
                    visit_id=stay.visit.id,
                    shown=pool_id in shown,
                    asker=stay.asker,
                )
                wishers.append((at, wish))
    return [wish for _, wish in wishers], wishers


async def _note(session: Session, stays: Sequence[Stay], limits: Limits, now: datetime) -> None:
    """Write what the signs of life tell: that the visit goes on, on which page, and under which
    identifiers.
    """
    said = [Said(visitor=stay.visitor, visit=stay.visit, ids=stay.ids) for stay in stays]
    await store_ids(session, said, {stay.visit.id for stay in stays}, now)
    opened = [stay for stay in stays if stay.path]
    seen = (
        await session.visits.count_records(PageView, {stay.visit.id for stay in opened})
        if opened
        else {}
    )
    views = [
        PageView(id=new_id(now), visit_id=stay.visit.id, at=now, path=stay.path or "/")
        for stay in opened
        if seen.get(stay.visit.id, 0) < MOST_VIEWS and take(limits.views, stay.address, session)
    ]
    await session.add(*views)
