"""Every page and filter of the supervisor among a million calls, on SQLite and on PostgreSQL, one
request at a time.

The databases are written in bulk into `--directory` (or one that is removed afterwards) and used
again by a later run with the same directory. The web serves in a process of its own. What counts is
its processor time together with the database's, because it hardly depends on what else the machine
does; the time on the clock stands beside it, with the load.
"""

import asyncio
import multiprocessing
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import httpx

from router.domain.access import Role, Scope
from router.domain.calls.call import Recording
from router.errors import Conflict
from router.logs import configure_logs
from router.service.admin.access import add_person, create_token
from router.service.calls.ports import Audio
from router.store.engine import SqlStore
from router.store.reading import READ_SECONDS
from router.web.app import create_app
from router.web.deps import Web
from router.web.server import Server
from tests.bench.desk_meter import Meter
from tests.bench.desk_requests import Request, requests
from tests.bench.desk_saving import saving_figures
from tests.bench.desk_seed import Seed
from tests.bench.desk_store import Installation, installations
from tests.bench.figure import Figure
from tests.bench.system import free_tcp_port

LIMIT = 100.0  # milliseconds, at the 95th percentile
CALLS, CALLS_QUICK = 1_000_000, 20_000
TIMES, TIMES_QUICK = 20, 5
LONGEST = 6.0  # seconds for the repetitions of one request, after the fifth
# of the calls: the seed is the same whenever it is written
END = datetime(2026, 11, 30, 1, tzinfo=UTC)
LOGIN, PASSWORD = "bench", "correct horse battery"


@dataclass(frozen=True, slots=True)
class Taken:
    """Milliseconds of one request."""

    clock: float
    processor: float


def measure(
    *, quick: bool, directory: Path | None = None, only: str = "", database: str | None = None
) -> list[Figure]:
    """One figure a request and database, and one for each migration; of the requests and databases
    named alone, if such are named.
    """
    seed, times = Seed(CALLS_QUICK if quick else CALLS, END), TIMES_QUICK if quick else TIMES
    wanted = [request for request in requests(seed, END) if re.search(only, request.name)]
    figures: list[Figure] = []
    with _place(directory) as place, installations(place, seed, database) as made:
        for installation in made:
            if installation.migrated_in is not None:
                name = f"{installation.name}: migration of {seed.calls:,} calls"
                figures.append(
                    Figure(name=name, ours=installation.migrated_in, unit="s", note=_load())
                )
            figures += _measure(installation, wanted, times)
            if re.search(only, "calls saved"):
                figures += asyncio.run(saving_figures(installation, seed, quick=quick))
    return sorted(figures, key=lambda figure: -(figure.ratio or 1000.0))


@contextmanager
def _place(directory: Path | None) -> Iterator[Path]:
    if directory is not None:
        yield directory
        return
    with tempfile.TemporaryDirectory(prefix="ringtrace-bench-") as made:
        yield Path(made)


def _measure(installation: Installation, wanted: Sequence[Request], times: int) -> Iterator[Figure]:
    token = asyncio.run(_let_in(installation.url))
    port = free_tcp_port()
    server = multiprocessing.get_context("spawn").Process(
        target=serve, args=(installation.url, port), daemon=True
    )
    server.start()
    meter = Meter(server.pid or 0, installation.postgres and installation.postgres.pid)
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", timeout=120, trust_env=False
        ) as client:
            _log_in(client, port)
            for request in wanted:
                figure = _figure(installation.name, client, request, token, times, meter)
                print(f"{figure.ours:6.0f} ms  {figure.name}: {figure.note}", file=sys.stderr)
                yield figure
    finally:
        server.terminate()
        server.join()


def _figure(
    database: str, client: httpx.Client, request: Request, token: str, times: int, meter: Meter
) -> Figure:
    name, taken, ends = f"{database}: {request.name}", [], time.monotonic() + LONGEST
    for n in range(times + 1):  # the first warms up
        one, status = _ask(client, request, token, n, meter)
        taken.append(one)
        if status >= HTTPStatus.BAD_REQUEST:
            return _judged(name, taken, f"answered {status}; ", failed=True)
        if n >= TIMES_QUICK and time.monotonic() > ends:
            break
    return _judged(name, taken)


def _ask(
    client: httpx.Client, request: Request, token: str, n: int, meter: Meter
) -> tuple[Taken, int]:
    headers = {"Origin": str(client.base_url).rstrip("/")}
    if request.path.startswith("/api/"):
        headers["Authorization"] = f"Bearer {token}"
    form = request.forms[n % len(request.forms)] if request.forms else None
    if form:
        headers["Content-Type"] = "application/x-www-form-urlencoded"

    used, began = meter.settled(), time.perf_counter()
    with client.stream(
        "POST" if form else "GET", request.path, headers=headers, content=form
    ) as answer:
        next(answer.iter_bytes(), b"") if request.first_byte else answer.read()
        clock = time.perf_counter() - began
        taken = Taken(clock * 1000, meter.milliseconds() - used)
    return taken, answer.status_code


def _judged(name: str, taken: list[Taken], note: str = "", *, failed: bool = False) -> Figure:
    first, others = taken[0], taken[1:] or taken
    processor, clock = [one.processor for one in others], [one.clock for one in others]
    p95 = _p95(processor)
    note += (
        f"processor min {min(processor):.0f}, p50 {statistics.median(processor):.0f};"
        f" clock min {min(clock):.0f}, p50 {statistics.median(clock):.0f},"
        f" p95 {_p95(clock):.0f}, first {first.clock:.0f}; {_load()}"
    )
    return Figure(
        name=name,
        ours=p95,
        limit=LIMIT,
        unit="ms",
        ratio=p95 / LIMIT,
        aim=f"{LIMIT:.0f} ms of processor",
        met=p95 <= LIMIT and not failed,
        note=note,
    )


def _p95(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(0.95 * len(ordered)) - 1)]


def _load() -> str:
    return f"load {os.getloadavg()[0]:.1f}"


async def _let_in(url: str) -> str:
    store = SqlStore(url)
    with suppress(Conflict):  # of an earlier run
        await add_person(store, LOGIN, PASSWORD, Role.ADMINISTRATOR, END)
    token = await create_token(store, "bench", list(Scope), END)
    await store.close()
    return token.secret


def _log_in(client: httpx.Client, port: int) -> None:
    for _ in range(3000):  # a busy machine takes its time to start a process
        try:
            client.get("/healthz")
            break
        except httpx.TransportError:
            time.sleep(0.1)
    form = {"login": LOGIN, "password": PASSWORD}
    client.post("/login", data=form, headers={"Origin": f"http://127.0.0.1:{port}"})


class _NoStorage:
    async def open(self, recording: Recording, start: int = 0, length: int | None = None) -> Audio:
        raise NotImplementedError


def serve(url: str, port: int) -> None:
    """The web as it runs, on this database, with its clock at the end of the seed."""
    configure_logs("error")
    web = Web(
        store=SqlStore(url, read_seconds=READ_SECONDS),
        listening=_NoStorage(),
        session_key="k" * 43,
        clock=lambda: END,
    )
    asyncio.run(Server(create_app(web), "127.0.0.1", port).serve())
