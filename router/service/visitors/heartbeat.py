"""Processes heartbeats: leases are prolonged, given again, or replaced."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from router.domain.ids import new_id
from router.domain.visitors.client_key import Asker
from router.domain.visitors.lease import Lease
from router.domain.visitors.visit import Fallback, PageView, Visit, Visitor
from router.service.ports import Session
from router.service.visitors.display import From, Shown, fall_back, shown
from router.service.visitors.identities import Ids, Said, store_ids
from router.service.visitors.leasing import NumberRequest, assign_numbers
from router.service.visitors.limits import Limits, take
from router.service.visitors.page_open import MOST_VIEWS
from router.service.visitors.site_config import SiteConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class PageHeartbeat:
    """A heartbeat of a page."""

    config: SiteConfig
    visit: Visit
    visitor: Visitor
    now: datetime
    address: str
    asker: Asker | None  # the same, as shares of a pool are counted by it
    lease_ids: Sequence[str] = ()  # leases whose numbers the page shows
    pool_ids: Sequence[str] = ()  # pools whose numbers it requests
    path: str | None = None  # a page opened without loading, as applications in one page do
    ids: Ids


class HeartbeatService:
    """Processes the heartbeats of one transaction."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    async def keep(
        self, session: Session, heartbeats: Sequence[PageHeartbeat]
    ) -> list[dict[str, Shown]]:
        """The numbers that each page does not show yet, by pool."""
        now = max(heartbeat.now for heartbeat in heartbeats)
        requests, requesters = await _requests(session, heartbeats)
        assignment = await assign_numbers(session, requests, now)
        numbers: list[dict[str, Shown]] = [{} for _ in heartbeats]
        fallbacks: list[Fallback] = []
        for (at, request), result in zip(requesters, assignment.results, strict=True):
            heartbeat = heartbeats[at]
            if isinstance(result, Lease):
                if result.id not in heartbeat.lease_ids:
                    numbers[at][request.pool.id] = shown(result)
                continue
            came = From(
                source=heartbeat.visit.source,
                medium=heartbeat.visit.medium,
                channel=heartbeat.visit.channel,
            )
            numbers[at][request.pool.id], kept = fall_back(
                heartbeat.config, request.pool, came, result, heartbeat.visit.id, now
            )
            if take(self._limits.refusals, heartbeat.address, session):
                fallbacks.append(kept)
        await _note(session, heartbeats, self._limits, now)
        await session.leases.save(assignment.changed)
        await session.add(*fallbacks)
        return numbers


async def _requests(
    session: Session, heartbeats: Sequence[PageHeartbeat]
) -> tuple[list[NumberRequest], list[tuple[int, NumberRequest]]]:
    leases = await session.get_many(
        Lease, {key for heartbeat in heartbeats for key in heartbeat.lease_ids}
    )
    requesters = []
    for at, heartbeat in enumerate(heartbeats):
        mine = []
        for key in heartbeat.lease_ids:
            if (lease := leases.get(key)) and lease.visitor_id == heartbeat.visitor.id:
                mine.append(lease)

        shown = {lease.pool_id for lease in mine}
        for pool_id in dict.fromkeys([*heartbeat.pool_ids, *shown]):
            if pool := heartbeat.config.pools.get(pool_id):
                request = NumberRequest(
                    pool=pool,
                    visitor_id=heartbeat.visitor.id,
                    visit_id=heartbeat.visit.id,
                    shown=pool_id in shown,
                    asker=heartbeat.asker,
                )
                requesters.append((at, request))
    return [request for _, request in requesters], requesters


async def _note(
    session: Session, heartbeats: Sequence[PageHeartbeat], limits: Limits, now: datetime
) -> None:
    """Store the visits' heartbeats, pages and identifiers."""
    said = [
        Said(visitor=heartbeat.visitor, visit=heartbeat.visit, ids=heartbeat.ids)
        for heartbeat in heartbeats
    ]
    await store_ids(session, said, {heartbeat.visit.id for heartbeat in heartbeats}, now)
    opened = [heartbeat for heartbeat in heartbeats if heartbeat.path]
    visits = {heartbeat.visit.id for heartbeat in opened}
    seen = await session.visits.count_records(PageView, visits)
    views = []
    for heartbeat in opened:
        if seen.get(heartbeat.visit.id, 0) < MOST_VIEWS and take(
            limits.views, heartbeat.address, session
        ):
            views.append(
                PageView(
                    id=new_id(now), visit_id=heartbeat.visit.id, at=now, path=heartbeat.path or "/"
                )
            )

    await session.add(*views)
