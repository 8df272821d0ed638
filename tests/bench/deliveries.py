"""Deliveries a second out of 100,000 that wait, in the order of their streams, while another
receiver is down.

The worker's own loop posts them, in a process of its own, to a server beside it; the limit is a
bare HTTP client that posts the same bodies with as many at once. Then the same with 100,000 more
for a receiver that does not answer.
"""

import asyncio
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from subprocess import Popen

import httpx

from router.bootstrap import now
from router.domain.calls.call import Recording
from router.domain.delivery.delivery import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    Webhook,
    new_delivery,
)
from router.domain.ids import new_id
from router.logs import configure_logs
from router.receivers.webhook import WebhookSender
from router.service.delivery.dispatch import AT_ONCE
from router.service.worker import Worker
from router.store.engine import SqlStore
from router.store.migrate import migrate
from tests.bench.figure import Figure
from tests.bench.system import free_tcp_port

AIM, FLAT = 0.5, 1.1
WAITING, WAITING_QUICK = 100_000, 3_000
CALLS_OF_ONE_PHONE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How many were delivered in how many seconds; memory in MB at a tenth of the way and at its
    end.
    """

    done: int
    seconds: float
    memory_at_tenth: float
    memory_at_end: float
    seen: dict[str, int]

    @property
    def rate(self) -> float:
        return self.done / self.seconds


def measure(*, quick: bool) -> list[Figure]:
    """Rate, order, memory, and what a receiver that is down costs."""
    waiting = WAITING_QUICK if quick else WAITING
    with _receiver() as address:
        limit = asyncio.run(_bare(address, min(waiting, 5000)))
        alone, beside = (_apart(address, waiting, down=down) for down in (False, True))
    note = (
        f"{alone.done:,} of {waiting:,}; twice {alone.seen['twice']}, out of order "
        f"{alone.seen['disorder']}"
    )
    whole = alone.done == waiting and not alone.seen["twice"] and not alone.seen["disorder"]
    ratio, cost = alone.rate / limit, beside.rate / alone.rate
    growth = alone.memory_at_end / alone.memory_at_tenth
    return [
        Figure(name=f"deliveries a second, {waiting:,} waiting", ours=alone.rate, limit=limit, unit="/s", ratio=ratio,  # noqa: E501
               met=whole, note=note),
        Figure(name="memory at the end, at a tenth", ours=alone.memory_at_end, limit=alone.memory_at_tenth, unit="MB",  # noqa: E501
               ratio=growth, aim="flat", met=growth <= FLAT),
        Figure(name=f"beside {waiting:,} for a receiver that is down", ours=beside.rate, limit=alone.rate, unit="/s",  # noqa: E501
               ratio=cost, aim="nothing lost", met=cost >= 1 / FLAT),
    ]  # fmt: skip


@contextmanager
def _receiver() -> Iterator[str]:
    port = free_tcp_port()
    server = Popen((sys.executable, "-m", "tests.bench.receiver", str(port)))
    try:
        for _ in range(100):
            try:
                httpx.get(f"http://127.0.0.1:{port}/seen", trust_env=False)
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


async def _bare(address: str, count: int) -> float:
    """Posts a second of a client without anything else to do."""
    body, numbers = {"stream": "x", "place": 0, "say": "x" * 1000}, iter(range(count))
    async with httpx.AsyncClient(trust_env=False) as client:

        async def post() -> None:
            for _ in numbers:
                await client.post(f"{address}/hook", json=body)

        began = time.perf_counter()
        await asyncio.gather(*(post() for _ in range(AT_ONCE)))
        seconds = time.perf_counter() - began
        await client.get(f"{address}/seen")  # and forget
        return count / seconds


def _apart(address: str, waiting: int, *, down: bool) -> Outcome:
    with (
        tempfile.TemporaryDirectory(prefix="ringtrace-bench-") as directory,
        ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as apart,
    ):
        url = f"sqlite+aiosqlite:///{Path(directory) / 'ringtrace.db'}"
        apart.submit(prepare, url, address, waiting, down).result()
        return apart.submit(work, url, address, waiting).result()


def prepare(url: str, address: str, waiting: int, down: bool) -> None:
    """Write what waits."""
    configure_logs("error")
    asyncio.run(_prepare(SqlStore(url), address, waiting, down))


async def _prepare(store: SqlStore, address: str, waiting: int, down: bool) -> None:
    await migrate(store)
    moment = now()
    up = Webhook(id="up", url=f"{address}/hook", created_at=moment)
    silent = Webhook(id="down", url=f"http://127.0.0.1:{free_tcp_port()}/", created_at=moment)
    async with store.write() as session:
        await session.add(up, silent)
    for webhook in (up, silent) if down else (up,):
        for some in _batched(waiting):
            async with store.write() as session:
                await session.add(*(_delivery(webhook, n, moment) for n in some))
    await store.close()


def _batched(count: int) -> Iterator[range]:
    return (range(start, min(start + 2000, count)) for start in range(0, count, 2000))


def _delivery(webhook: Webhook, n: int, moment: datetime) -> Delivery:
    stream, place = f"phone-{n // CALLS_OF_ONE_PHONE}", n % CALLS_OF_ONE_PHONE
    body = {"stream": stream, "place": place, "say": "x" * 1000}
    at = moment - timedelta(hours=1) + timedelta(milliseconds=n)
    made = new_delivery(
        webhook, DeliveryKind.MAIL_RECEIVED, f"m{n}", body, id=new_id(at), now=moment
    )
    return replace(made, stream=stream, event_at=at)


def work(url: str, address: str, waiting: int) -> Outcome:
    """Let the worker deliver."""
    configure_logs("error")
    return asyncio.run(_work(SqlStore(url), address, waiting))


class _Nothing:
    """There are no recordings here."""

    async def store(self, recording: Recording, call: object) -> Recording:
        raise AssertionError("there are no recordings here")

    async def discard(self, recording: Recording) -> bool:
        raise AssertionError("there are no recordings here")


async def _work(store: SqlStore, address: str, waiting: int) -> Outcome:
    sender = WebhookSender("key")
    worker = asyncio.create_task(Worker(store, _Nothing(), sender, now).run())
    began, at_tenth, done = time.perf_counter(), 0.0, 0
    while done < waiting and not worker.done():
        await asyncio.sleep(0.2)
        done = await _done(store)
        at_tenth = at_tenth or (_memory() if done >= waiting / 10 else 0.0)
    seconds = time.perf_counter() - began
    worker.cancel()
    await asyncio.wait([worker])
    async with httpx.AsyncClient(trust_env=False) as client:
        seen = (await client.get(f"{address}/seen")).json()
    await sender.close()
    await store.close()
    return Outcome(
        done=done, seconds=seconds, memory_at_tenth=at_tenth, memory_at_end=_memory(), seen=seen
    )


async def _done(store: SqlStore) -> int:
    async with store.read_inline() as session:
        waiting = await session.connection.exec_driver_sql(
            f"SELECT count(*) FROM delivery WHERE state = '{DeliveryState.DONE}' AND "
            "receiver_id = 'up'"
        )
        return int(waiting.scalar_one())


def _memory() -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) / 1024
