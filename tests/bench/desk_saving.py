"""What it costs to save a call among a million, with all indexes and without the newest ones.

The newest indexes are dropped in a transaction that is rolled back afterwards.
"""

import os
import random
import time
from collections.abc import Sequence

from sqlalchemy import text

from router.domain.calls.call import Call
from router.store.engine import SqlStore
from router.store.facet_conditions import FIGURES, INDEXED, INDEXED_FLAGS
from tests.bench.desk_facts import call_id
from tests.bench.desk_meter import Meter
from tests.bench.desk_seed import Seed
from tests.bench.desk_store import Installation
from tests.bench.figure import Figure

SAVED = 400  # calls
AT_ONCE = (1, 50)  # calls of one transaction: a call that ends; a change of many
NEWEST = (
    *FIGURES.values(),
    *INDEXED_FLAGS.values(),
    INDEXED["channel"]["channel"],
    INDEXED["destination_id"]["destination_id"],
    *INDEXED["employee"].values(),
)


class _Undone(Exception):
    """Ends a transaction that is not kept."""


async def saving_figures(installation: Installation, seed: Seed, *, quick: bool) -> list[Figure]:
    """Calls of all ages are saved as they are."""
    count = SAVED // 10 if quick else SAVED
    chosen = random.Random(1).sample(range(seed.calls), count)
    database, postgres = installation.name, installation.postgres
    meter = Meter(os.getpid(), postgres and postgres.pid)
    store = SqlStore(installation.url)
    figures = []
    try:
        async with store.read() as session:
            found = await session.get_many(Call, [call_id(n) for n in chosen])
        calls = list(found.values())
        for size in AT_ONCE:
            name = f"{database}: calls saved, {size} in a transaction"
            figures.append(await _committed(store, name, calls, size, meter))
        for dropped, name in ((), "with all indexes"), (NEWEST, "without the newest 15 indexes"):
            name = f"{database}: calls saved, rolled back, {name}"
            figures.append(await _undone(store, name, calls, dropped, meter))
    finally:
        await store.close()
    return figures


async def _committed(
    store: SqlStore, name: str, calls: Sequence[Call], size: int, meter: Meter
) -> Figure:
    used, began = meter.settled(), time.perf_counter()
    for start in range(0, len(calls), size):
        async with store.write() as session:
            await session.calls.save(calls[start : start + size])
    return _figure(name, len(calls), meter.milliseconds() - used, time.perf_counter() - began)


async def _undone(
    store: SqlStore, name: str, calls: Sequence[Call], dropped: Sequence[str], meter: Meter
) -> Figure:
    try:
        async with store.write() as session:
            for index in dropped:
                await session.connection.execute(text(f"DROP INDEX {index}"))
            used, began = meter.settled(), time.perf_counter()
            for call in calls:
                await session.calls.save([call])
            took, seconds = meter.milliseconds() - used, time.perf_counter() - began
            raise _Undone
    except _Undone:
        return _figure(name, len(calls), took, seconds)


def _figure(name: str, count: int, processor: float, seconds: float) -> Figure:
    load = os.getloadavg()[0]
    return Figure(
        name=name,
        ours=processor / count,
        unit="ms",
        note=f"processor, a call; {count / seconds:.0f} calls/s on the clock; load {load:.1f}",
    )
