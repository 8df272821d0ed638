"""A call looked up in a ledger of ten million leases: who held its number, and then the whole
judgement.

Made for it is a SQLite ledger of sixty days: 2,000 numbers, each leased 5,000 times. The calls come
to random numbers at random moments of the last thirty days; what is measured is one process with
nothing else to do.
"""

import asyncio
import random
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from router.bootstrap import now
from router.domain.calls.call import Call, State
from router.domain.visitors.site import NumberKind, Pool, Site, TrackingNumber
from router.domain.visitors.visit import Visit, Visitor
from router.service.calls.attribution import MOST_HOLDERS, Attributor
from router.store.engine import SqlStore
from router.store.migrate import migrate
from tests.bench.figure import Figure

AIM = 2.0  # milliseconds
LEASES, LEASES_QUICK = 10_000_000, 200_000
NUMBERS, VISITS, CALLS = 2_000, 2_000, 1_000
DAYS = 60
_INSERT = (
    "INSERT INTO lease (id, number, pool_id, visitor_id, visit_id, started_at, seen_at, "
    "frozen_at, ends_at) VALUES (?, ?, 'main', ?, ?, ?, ?, ?, ?)"
)


def measure(*, quick: bool) -> list[Figure]:
    """Median and 99th percentile."""
    with tempfile.TemporaryDirectory(prefix="ringtrace-bench-") as directory:
        return asyncio.run(
            _measure(Path(directory) / "ledger.db", LEASES_QUICK if quick else LEASES)
        )


async def _measure(path: Path, leases: int) -> list[Figure]:
    store, moment = SqlStore(f"sqlite+aiosqlite:///{path}"), now()
    await migrate(store)
    await _set_up(store, moment)
    _fill(path, leases, moment)
    try:
        taken = [await _judge(store, moment) for _ in range(CALLS)]
    finally:
        await store.close()
    looked_up, attributed = (sorted(column) for column in zip(*taken, strict=True))
    note = f"{path.stat().st_size / 2**30:.1f} GB of SQLite, {CALLS} calls"
    figures = []
    for name, quantile in (("p50", 0.5), ("p99", 0.99)):
        ours, whole = looked_up[int(CALLS * quantile)], attributed[int(CALLS * quantile)]
        found = f"look-up among {leases:,} leases, {name}"
        figures.append(
            Figure(name=found, ours=ours, unit="ms", aim=f"{AIM} ms", met=ours <= AIM, note=note)
        )
        figures.append(Figure(name=f"the whole judgement, {name}", ours=whole, unit="ms"))
    return figures


async def _judge(store: SqlStore, moment: datetime) -> tuple[float, float]:
    """Judge one call; how long its look-up in the ledger and all of it took, in milliseconds."""
    at = moment - timedelta(seconds=random.uniform(0, 30 * 86_400))
    number = f"+7495{random.randrange(NUMBERS):07}"
    caller = f"+7916{random.randrange(10**7):07}"
    call = Call(
        id=f"rt1-{at.timestamp()}", did=number[1:], number=number, trunk="carrier", site_id="shop", caller=caller,  # noqa: E501
        arrived_at=at, state=State.RINGING,
    )  # fmt: skip
    async with store.read_inline() as session:
        site = await session.get(Site, "shop")
        began = time.perf_counter()
        held = await session.evidence.holders(number, at, MOST_HOLDERS)
        if held and (first := held[-1].lease):
            await session.evidence.leases_before(number, at, first.started_at)
        looked_up = time.perf_counter()
        await Attributor(session).attribute(call, site)
        return (looked_up - began) * 1000, (time.perf_counter() - looked_up) * 1000


async def _set_up(store: SqlStore, moment: datetime) -> None:
    fields = {"free_at": moment, "created_at": moment}
    async with store.write() as session:
        await session.add(
            Site(id="shop", name="Shop", contacts="/contacts", created_at=moment),
            Pool(id="main", site_id="shop", name="Main", created_at=moment),
            *(Visitor(id=f"visitor-{n}", site_id="shop", created_at=moment) for n in range(VISITS)),
        )
        await session.add(
            *(
                TrackingNumber(
                    e164=f"+7495{n:07}",
                    site_id="shop",
                    kind=NumberKind.DYNAMIC,
                    pool_id="main",
                    **fields,
                )  # type: ignore[arg-type]
                for n in range(NUMBERS)
            ),
            *(
                Visit(
                    id=f"visit-{n}",
                    visitor_id=f"visitor-{n}",
                    started_at=moment,
                    source="google",
                    channel="Direct",
                )
                for n in range(VISITS)
            ),
        )


def _fill(path: Path, leases: int, moment: datetime) -> None:
    """Write the leases in bulk, and index them when all are there."""
    ledger = sqlite3.connect(path)
    indexes = ledger.execute(
        "SELECT name, sql FROM sqlite_master WHERE tbl_name = 'lease' AND sql LIKE 'CREATE INDEX%'"
    )
    made = indexes.fetchall()
    for name, _ in made:
        ledger.execute(f"DROP INDEX {name}")
    ledger.executemany(_INSERT, _leases(leases, moment))
    for _, sql in made:
        ledger.execute(sql)
    ledger.commit()
    ledger.close()


def _leases(
    count: int, moment: datetime
) -> Iterator[tuple[str, str, str, str, int, int, int, int]]:
    first, step = (
        int((moment - timedelta(days=DAYS)).timestamp() * 1e6),
        DAYS * 86_400_000_000 // count,
    )
    for n in range(count):
        at, who = first + n * step, n * 7 % VISITS
        seen = at + 180_000_000
        ends = (f"visitor-{who}", f"visit-{who}", at, seen, seen, seen + 1_500_000_000)
        yield f"lease-{n:08}", f"+7495{n % NUMBERS:07}", *ends
