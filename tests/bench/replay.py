"""A week's CEL log learned by the agent's own code after an outage: how long, and how much memory.

The CEL log has 100,000 calls of 11 to 17 rows, the database 200 numbers, 50,000 leases and one
webhook. It runs in a process of its own, so that its memory is its own; "parse" is the CEL log
reader's part, "fold" the ledger's and the folding's, "database" everything from the beginning of a
transaction to its commit.
"""

import asyncio
import re
import tempfile
import time
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from sqlalchemy import func, select

from router.asterisk.cel_log import CHUNK, CelLog
from router.bootstrap import now
from router.domain.delivery.delivery import Webhook
from router.logs import configure_logs
from router.service.calls.ingest import CallIngest
from router.service.calls.routing import Routes
from router.store import tables
from router.store.engine import SqlStore
from router.store.migrate import migrate
from router.store.session import SqlSession
from tests.bench.figure import Figure
from tests.bench.leased_numbers import IDENTIFIED, PLAIN, set_up
from tests.bench.long_cel_log import write_cel_log

AIM = 120.0  # seconds for CALLS
CALLS, LEASES = 100_000, 50_000
CALLS_QUICK = 5_000
FLAT = 1.1  # memory at the end, as a multiple of that at a tenth of the way


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a replay took: seconds, and the process's largest resident memory so far in MB."""

    seconds: float
    parsing: float
    folding: float
    database: float
    memory_at_tenth: float
    memory_at_end: float
    calls: int


class TimedStore(SqlStore):
    """A store that knows how long its write transactions took."""

    seconds = 0.0

    @asynccontextmanager
    async def write(self) -> AsyncIterator[SqlSession]:
        began = time.perf_counter()
        async with super().write() as session:
            yield session
        self.seconds += time.perf_counter() - began


def measure(*, quick: bool) -> list[Figure]:
    """Time and memory."""
    calls = CALLS_QUICK if quick else CALLS
    with (
        tempfile.TemporaryDirectory(prefix="ringtrace-bench-") as directory,
        ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as apart,
    ):
        apart.submit(prepare, Path(directory), calls).result()
        done = apart.submit(replay, Path(directory)).result()
    parts = {"parse": done.parsing, "fold": done.folding, "database": done.database}
    shares = ", ".join(f"{name} {seconds / done.seconds:.0%}" for name, seconds in parts.items())
    lost = f"; {calls - done.calls} calls missing" if done.calls != calls else ""
    aim, growth = AIM * calls / CALLS, done.memory_at_end / done.memory_at_tenth
    return [
        Figure(
            name=f"replay of {calls:,} calls",
            ours=done.seconds,
            unit="s",
            aim=f"{aim:.0f} s",
            met=done.seconds <= aim and not lost,
            note=shares + lost,
        ),
        Figure(
            name="replay: memory at the end, at a tenth",
            ours=done.memory_at_end,
            limit=done.memory_at_tenth,
            unit="MB",
            ratio=growth,
            aim="flat",
            met=growth <= FLAT,
        ),
    ]


def prepare(directory: Path, calls: int) -> None:
    """Make the CEL log and the database in `directory`."""
    configure_logs("error")
    write_cel_log(directory / "cel.csv", calls, (*PLAIN, *IDENTIFIED), now())
    asyncio.run(_prepare(_store(directory)))


async def _prepare(store: SqlStore) -> None:
    await migrate(store)
    await set_up(store, now(), LEASES)
    async with store.write() as session:
        await session.add(Webhook(id="crm", url="http://127.0.0.1:9/", created_at=now()))
    await store.close()


def replay(directory: Path) -> Outcome:
    """Learn what `prepare` made."""
    configure_logs("error")
    return asyncio.run(_replay(CelLog(directory / "cel.csv", chunk=CHUNK), _store(directory)))


async def _replay(cel_log: CelLog, store: TimedStore) -> Outcome:
    routes = Routes(store)
    await routes.refresh()
    call_ingest = CallIngest(store, lambda: routes.table, now)
    await call_ingest.recall()
    store.seconds = 0.0
    try:
        return await _ingest(cel_log, call_ingest, store)
    finally:
        await store.close()


def _store(directory: Path) -> TimedStore:
    return TimedStore(f"sqlite+aiosqlite:///{directory / 'ringtrace.db'}")


async def _ingest(cel_log: CelLog, call_ingest: CallIngest, store: TimedStore) -> Outcome:
    size, began = cel_log.path.stat().st_size, time.perf_counter()
    parsing = learning = memory_at_tenth = 0.0
    while True:
        start = time.perf_counter()
        batch = cel_log.read(call_ingest.cursor)
        parsed = time.perf_counter()
        if batch is None:
            break
        await call_ingest.ingest(batch.rows, batch.cursor, batch.rejected)
        parsing += parsed - start
        learning += time.perf_counter() - parsed
        if not memory_at_tenth and batch.cursor.offset >= size / 10:
            memory_at_tenth = _memory()
    seconds = time.perf_counter() - began
    async with store.read() as session:
        ended = select(func.count()).where(tables.call.c.state == "ended")
        calls = (await session.connection.execute(ended)).scalar_one()
    return Outcome(
        seconds=seconds,
        parsing=parsing,
        folding=learning - store.seconds,
        database=store.seconds,
        memory_at_tenth=memory_at_tenth,
        memory_at_end=_memory(),
        calls=calls,
    )


def _memory() -> float:
    """The largest resident memory of this process so far, in MB. ru_maxrss would include what it
    was forked from.
    """
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) / 1024
