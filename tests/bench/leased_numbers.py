"""The numbers of a benchmark: 200, each leased to a visitor in turn."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from router.domain.visitors.lease import Lease, begin
from router.domain.visitors.site import Destination, NumberKind, Pool, Site, Step, TrackingNumber
from router.domain.visitors.visit import Visit, Visitor
from router.store.engine import SqlStore
from router.store.records import TABLES, to_row

PLAIN = tuple(f"7495000{n:04}" for n in range(100))

IDENTIFIED = tuple(f"7495000{n:04}" for n in range(100, 200))

LEASE_SECONDS = 7 * 86_400


async def set_up(store: SqlStore, now: datetime, leases: int = 200) -> None:
    """Sites, numbers, and leases that began, evenly, in the week before `now`; the last of each
    number still holds.
    """
    steps = (Step(dial="PJSIP/bench-company"),)
    pools = [_pool("plain", now), _pool("identified", now)]
    numbers = [_number(did, "plain", now) for did in PLAIN] + [
        _number(did, "identified", now) for did in IDENTIFIED
    ]
    async with store.write() as session:
        await session.add(
            Destination(id="plain", name="plain", steps=steps, created_at=now),
            Destination(
                id="identified", name="identified", steps=steps, send_client_id=True, created_at=now
            ),
            Site(id="bench", name="bench", destination_id="plain", created_at=now),
            *pools,
            *numbers,
        )
        for kind, records in _lease(pools, numbers, leases, now).items():
            await session.connection.execute(
                insert(TABLES[kind]), [to_row(record) for record in records]
            )


def _lease(
    pools: Sequence[Pool], numbers: Sequence[TrackingNumber], count: int, now: datetime
) -> dict[type[Any], list[Any]]:
    by_id = {pool.id: pool for pool in pools}
    made: dict[type[Any], list[Any]] = {Visitor: [], Visit: [], Lease: []}
    for n in range(count):
        at, number = (
            now - timedelta(seconds=LEASE_SECONDS * (count - n - 1) / count),
            numbers[n % len(numbers)],
        )
        visitor = Visitor(
            id=f"visitor-{n}", site_id="bench", ga_client_id=f"{n}.1763776800", created_at=at
        )
        visit = Visit(
            id=f"visit-{n}", visitor_id=visitor.id, started_at=at, source="google", medium="cpc"
        )
        pool = by_id[number.pool_id or ""]
        lease = begin(
            pool,
            id=f"lease-{n}",
            number=number.e164,
            visitor_id=visitor.id,
            visit_id=visit.id,
            now=at,
        )
        if n + len(numbers) < count:  # another visitor has the number after this one
            end = at + timedelta(seconds=LEASE_SECONDS * len(numbers) / count)
            lease = replace(lease, frozen_at=at + (end - at) / 2, ends_at=end)
        for record in (visitor, visit, lease):
            made[type(record)].append(record)
    return made


def _pool(name: str, now: datetime) -> Pool:
    return Pool(
        id=name,
        site_id="bench",
        name=name,
        destination_id=name,
        hold_seconds=LEASE_SECONDS,
        freeze_seconds=LEASE_SECONDS // 2,
        created_at=now,
    )


def _number(did: str, pool: str, now: datetime) -> TrackingNumber:
    return TrackingNumber(
        e164=f"+{did}",
        site_id="bench",
        kind=NumberKind.DYNAMIC,
        pool_id=pool,
        free_at=now,
        created_at=now,
    )
