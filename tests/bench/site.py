"""Numbers for visitors: lease requests a second beside an empty endpoint of the same framework, in
the same run.

Every request is a new visitor's first page, the dearest there is: a visitor, a visit and a lease
are written. Once on SQLite and once on PostgreSQL, with one web process and with two; load and
limit alternate. wrk, which makes the load, runs on the same two cores, for both alike.
"""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

import psutil
from sqlalchemy import insert, text

from router import bootstrap
from router.config import load_settings
from router.domain.visitors.site import NumberKind, Pool, Site, TrackingNumber
from router.secrets import load_secrets
from router.store.migrate import migrate
from router.store.records import TABLES, to_row
from tests.bench.figure import Figure
from tests.bench.system import free_tcp_port
from tests.bench.wrk import Load, load
from tests.support.postgres import Postgres

AIM, P99_AIM, FLAT = 0.5, 25.0, 1.1
NUMBERS, HOLD = 90_000, 30  # as many as can be leased in the shortest hold
BODY = json.dumps({"url": "http://shop.example/?utm_source=google&utm_medium=cpc", "referrer": "", "pools": ["main"],  # noqa: E501
                   "consent": True, "ga_client_id": "1.2"})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`rounds` alternating runs of `seconds`; `leases` for the figure of memory."""

    rounds: int
    seconds: float
    leases: int


FULL = Plan(rounds=3, seconds=10, leases=1_000_000)
QUICK = Plan(rounds=1, seconds=4, leases=10_000)


def measure(*, quick: bool) -> list[Figure]:
    """Rates and tails on both databases, and memory on SQLite."""
    plan, figures = QUICK if quick else FULL, []
    with tempfile.TemporaryDirectory(prefix="ringtrace-bench-") as directory:
        for database in ("SQLite", "PostgreSQL"):
            home = Path(directory) / database
            home.mkdir()
            figures += _on(database, home, plan)
    return figures


def _on(database: str, home: Path, plan: Plan) -> list[Figure]:
    if database == "SQLite":
        return asyncio.run(_measure(database, "", home, plan))
    with tempfile.TemporaryDirectory(prefix="rtpg-") as directory:
        postgres = Postgres(Path(directory))
        try:
            postgres.create("bench")
            return asyncio.run(_measure(database, postgres.url("bench"), home, plan))
        finally:
            postgres.stop()


async def _measure(database: str, url: str, home: Path, plan: Plan) -> list[Figure]:
    os.environ |= {
        "RINGTRACE_HOME": str(home),
        "RINGTRACE_DATABASE_URL": url,
        "RINGTRACE_LOG_LEVEL": "error",
    }
    await _set_up()
    figures = []
    for processes in (1, 2):
        async with _serving(processes) as (ours, empty, webs):
            figures += await _compare(f"{database}, {processes} web", ours, empty, home, plan)
            if database == "SQLite" and processes == 1:
                figures.append(await _memory(ours[0], webs[0], home, plan))
    return figures


async def _compare(
    name: str, ours: Sequence[str], empty: Sequence[str], work: Path, plan: Plan
) -> list[Figure]:
    await _together(ours, work, 2)  # the first requests fill caches
    rates: list[tuple[float, float]] = []
    failed = 0
    for _ in range(plan.rounds):
        limit, mine = (
            await _together(empty, work, plan.seconds),
            await _together(ours, work, plan.seconds),
        )
        rates.append((sum(run.rate for run in mine), sum(run.rate for run in limit)))
        failed += sum(run.failed for run in mine)
    rate, limit_rate = (median(column) for column in zip(*rates, strict=True))
    ratio = median(a / b for a, b in rates)
    half = await _together(ours, work, plan.seconds, rate / 2 / len(ours))
    tail, met = max(run.p99 for run in half), not sum(run.failed for run in half)
    said = f"{failed} requests failed" if failed else ""
    return [
        Figure(
            name=f"leases a second, {name}", ours=rate, limit=limit_rate, unit="/s", ratio=ratio, aim=f"{AIM}",  # noqa: E501
            met=ratio >= AIM and not failed, note=said,
        ),
        Figure(
            name=f"p99 at half of it, {name}", ours=tail, unit="ms", aim=f"{P99_AIM:.0f} ms",
            met=met and tail <= P99_AIM, note=f"{sum(run.rate for run in half):.0f} requests/s",
        ),
    ]  # fmt: skip


async def _together(
    urls: Sequence[str], work: Path, seconds: float, rate: float | None = None
) -> list[Load]:
    return list(
        await asyncio.gather(*(load(url, BODY, work, seconds=seconds, rate=rate) for url in urls))
    )


async def _memory(url: str, web: asyncio.subprocess.Process, work: Path, plan: Plan) -> Figure:
    """Resident memory after a tenth of the leases, and after all of them."""
    process, made, at_tenth = psutil.Process(web.pid), 0.0, 0
    while made < plan.leases:
        done = await load(url, BODY, work, seconds=plan.seconds)
        made += done.rate * plan.seconds
        at_tenth = at_tenth or (process.memory_info().rss if made >= plan.leases / 10 else 0)
    end = process.memory_info().rss
    return Figure(
        name=f"memory after {made:,.0f} requests, after a tenth", ours=end / 2**20, limit=at_tenth / 2**20, unit="MB",  # noqa: E501
        ratio=end / at_tenth, aim="flat", met=end <= at_tenth * FLAT,
    )  # fmt: skip


async def _set_up() -> None:
    settings, now = load_settings(), bootstrap.now()
    load_secrets(settings.home)
    async with bootstrap.open_store(settings) as store:
        await migrate(store)
        numbers = [_number(f"+7495{n:07}", now - timedelta(seconds=n)) for n in range(NUMBERS)]
        async with store.write() as session:
            await session.add(
                Site(id="shop", name="Shop", origins=("http://shop.example",), created_at=now),
                Pool(
                    id="main",
                    site_id="shop",
                    name="Main",
                    hold_seconds=HOLD,
                    freeze_seconds=10,
                    created_at=now,
                ),
            )
            for start in range(0, NUMBERS, 3000):
                rows = [to_row(number) for number in numbers[start : start + 3000]]
                await session.connection.execute(insert(TABLES[TrackingNumber]), rows)
            # as any database has been that is not minutes old
            await session.connection.execute(text("ANALYZE"))


def _number(e164: str, now: datetime) -> TrackingNumber:
    kind = NumberKind.DYNAMIC
    return TrackingNumber(
        e164=e164, site_id="shop", kind=kind, pool_id="main", free_at=now, created_at=now
    )


@asynccontextmanager
async def _serving(
    processes: int,
) -> AsyncIterator[tuple[list[str], list[str], list[asyncio.subprocess.Process]]]:
    """Our web processes and empty ones: their addresses, and ours themselves."""
    async with AsyncExitStack() as stack:
        ours, empty, webs = [], [], []
        await stack.enter_async_context(_running(("-m", "router", "worker")))
        for _ in range(processes):
            port, other = free_tcp_port(), free_tcp_port()
            web = await stack.enter_async_context(
                _running(("-m", "router", "web"), port, "/healthz")
            )
            await stack.enter_async_context(
                _running(("-m", "tests.bench.empty", str(other)), other, "/empty")
            )
            webs.append(web)
            ours.append(f"http://127.0.0.1:{port}/api/v1/sites/shop/visits")
            empty.append(f"http://127.0.0.1:{other}/empty")
        yield ours, empty, webs


@asynccontextmanager
async def _running(
    command: Sequence[str], port: int | None = None, path: str = ""
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        env=os.environ | ({"RINGTRACE_WEB_PORT": str(port)} if port else {}),
    )
    try:
        async with asyncio.timeout(30):
            while port and not await _answers(port, path):
                await asyncio.sleep(0.1)
        yield process
    finally:
        process.terminate()
        await process.wait()


async def _answers(port: int, path: str) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.write(f"GET {path} HTTP/1.0\r\n\r\n".encode())
    line = await reader.readline()
    writer.close()
    return line.startswith(b"HTTP/1.")
