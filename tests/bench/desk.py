"""Every page and filter of the supervisor among a million calls, on SQLite and on PostgreSQL, one
request at a time.

The databases are written in bulk into `--directory` (or one that is removed afterwards) and used
again by a later run with the same directory. The web serves in a process of its own; what is
measured is what a browser waits for.
"""

import asyncio
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
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
from tests.bench.desk_requests import Request, requests
from tests.bench.desk_seed import Seed
from tests.bench.desk_store import Installation, installations
from tests.bench.figure import Figure
from tests.bench.system import free_tcp_port

LIMIT = 100.0  # milliseconds, at the 95th percentile
CALLS, CALLS_QUICK = 1_000_000, 20_000
TIMES, TIMES_QUICK = 30, 5
# of the calls: the seed is the same whenever it is written
END = datetime(2026, 11, 30, 1, tzinfo=UTC)
LOGIN, PASSWORD = "bench", "correct horse battery"


def measure(*, quick: bool, directory: Path | None = None) -> list[Figure]:
    """One figure a request and database, and one for each migration."""
    seed, times = Seed(CALLS_QUICK if quick else CALLS, END), TIMES_QUICK if quick else TIMES
    figures: list[Figure] = []
    with _place(directory) as place, installations(place, seed) as made:
        for installation in made:
            if installation.migrated_in is not None:
                name = f"{installation.name}: migration of {seed.calls:,} calls"
                figures.append(
                    Figure(name=name, ours=installation.migrated_in, unit="s", note=_load())
                )
            figures += _measure(installation, seed, times)
    return figures


@contextmanager
def _place(directory: Path | None) -> Iterator[Path]:
    if directory is not None:
        yield directory
        return
    with tempfile.TemporaryDirectory(prefix="ringtrace-bench-") as made:
        yield Path(made)


def _measure(installation: Installation, seed: Seed, times: int) -> Iterator[Figure]:
    token = asyncio.run(_let_in(installation.url))
    port = free_tcp_port()
    server = multiprocessing.get_context("spawn").Process(
        target=serve, args=(installation.url, port), daemon=True
    )
    server.start()
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", timeout=120, trust_env=False
        ) as client:
            _log_in(client, port)
            for request in requests(seed, END):
                yield _figure(installation.name, client, request, token, times)
    finally:
        server.terminate()
        server.join()


def _figure(
    database: str, client: httpx.Client, request: Request, token: str, times: int
) -> Figure:
    headers = {"Authorization": f"Bearer {token}"} if request.path.startswith("/api/") else {}
    taken = []
    for _ in range(times + 1):  # the first warms up
        began = time.perf_counter()
        with client.stream("GET", request.path, headers=headers) as answer:
            next(answer.iter_bytes(), b"") if request.first_byte else answer.read()
            taken.append((time.perf_counter() - began) * 1000)
        if answer.is_error:
            name, note = f"{database}: {request.name}", f"answered {answer.status_code}; {_load()}"
            return Figure(
                name=name,
                ours=taken[-1],
                limit=LIMIT,
                unit="ms",
                aim=f"{LIMIT:.0f} ms",
                met=False,
                note=note,
            )
    first, ordered = taken[0], sorted(taken[1:])
    p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    note = (
        f"min {ordered[0]:.0f}, p50 {statistics.median(ordered):.0f}, first {first:.0f}; {_load()}"
    )
    return Figure(
        name=f"{database}: {request.name}", ours=p95, limit=LIMIT, unit="ms", ratio=p95 / LIMIT,
        aim=f"{LIMIT:.0f} ms", met=p95 <= LIMIT, note=note,
    )  # fmt: skip


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
    for _ in range(600):
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
