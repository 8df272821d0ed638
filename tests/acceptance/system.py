"""The whole system for a test: real Asterisk, agent, worker and web as processes that the test may
kill or freeze.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import psutil
from numpy.typing import NDArray

from router import asterisk_setup, bootstrap, supervise
from router.asterisk.answers import last_beat
from router.asterisk.trunks import Cli, DidFrom, Side, Trunk, TrunkKind, Trunks
from router.config import Settings
from router.domain.calls.call import Call, Recording, RecordingState, State
from router.domain.calls.call_filter import CallFilter
from router.domain.delivery.delivery import Delivery, Webhook
from router.domain.visitors.lease import Lease
from router.domain.visitors.site import Destination, NumberKind, Pool, Site, Step, TrackingNumber
from router.errors import AsteriskUnavailable, DatabaseUnavailable
from router.secrets import Secrets
from router.service.visitors.pool_leases import Arrival, lease_number
from router.store.engine import SqlStore
from tests.support.ports import free_port

Found = TypeVar("Found")

CARRIER, COMPANY, SECOND, DEAD = "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"
NUMBERS = tuple(f"+749500000{i:02}" for i in range(1, 100))
STATIC = "+74951111111"
PARTS = ("asterisk", "agent", "worker")
FFMPEG = ("ffmpeg", "-v", "error", "-i", "pipe:0")
AS_SAMPLES = ("-ar", "8000", "-ac", "2", "-f", "s16le", "pipe:1")


@dataclass
class System:
    """Processes, places and what can be asked of them."""

    settings: Settings
    secrets: Secrets
    store: SqlStore
    processes: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    async def start(self, *names: str) -> None:
        """Start parts; returns when they are ready for a call."""
        parts = {part.name: part for part in supervise.parts(self.settings)}
        for name in names:
            self.processes[name] = await supervise.start(parts[name], self.settings)
        if "asterisk" in names:
            await self.until(self._booted, "Asterisk did not start")
        if "agent" in names:
            await self.until(self.agent_beats, "the agent did not start")

    def signal(self, name: str, number: signal.Signals) -> None:
        """Kill or freeze a part."""
        self.processes[name].send_signal(number)

    async def stop(self, *names: str) -> None:
        """End parts, frozen ones too."""
        for name in names:
            process = self.processes.pop(name)
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
            await supervise.stop(process)

    async def kill(self, name: str) -> None:
        """SIGKILL, as bad luck would."""
        process = self.processes.pop(name)
        process.kill()
        await process.wait()

    async def console(self, command: str) -> str:
        """Asterisk's console."""
        return await asterisk_setup.console(self.settings).run(command)

    async def agent_beats(self) -> bool:
        """The heartbeat is fresh."""
        return time.time() - (last_beat(self.settings.answers) or 0) < 3

    async def _booted(self) -> bool:
        with contextlib.suppress(AsteriskUnavailable):
            return "fully booted" in (await self.console("core waitfullybooted")).lower()
        return False

    async def calls(self, wanted: CallFilter | None = None) -> list[Call]:
        """All calls in the database, the oldest first."""
        async with self.store.read() as session:
            return (await session.calls.find(wanted or CallFilter(), limit=10_000))[::-1]

    async def ended(self, count: int = 1, timeout: float = 180.0) -> list[Call]:
        """The calls, when `count` have ended."""

        async def look() -> list[Call] | None:
            calls = await self.calls()
            return calls if sum(call.state is State.ENDED for call in calls) >= count else None

        return await self.until(look, f"{count} calls did not end", timeout)

    async def recorded(self, *calls: Call, timeout: float = 180.0) -> list[Recording]:
        """The recordings of these calls, when the worker has finished with them."""

        async def look() -> list[Recording] | None:
            async with self.store.read() as session:
                found = [await session.peek(Recording, call.id) for call in calls]
            done = [r for r in found if r is not None and r.state is not RecordingState.WAITING]
            return done if len(done) == len(calls) else None

        return await self.until(look, "the recordings were not finished", timeout)

    async def listen(self, recording: Recording) -> NDArray[np.int16]:
        """The decoded recording from the storage: (samples, 2), caller and company, 8 kHz."""
        assert recording.key is not None
        content = bootstrap.open_storage(self.settings).read(recording.key)
        process = await asyncio.create_subprocess_exec(
            *FFMPEG,
            *AS_SAMPLES,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate(content)
        return np.frombuffer(output, dtype="<i2").reshape(-1, 2)

    async def deliveries(self) -> list[Delivery]:
        """All deliveries."""
        async with self.store.read() as session:
            return await session.deliveries.find(limit=10_000)

    async def lease(self, client_id: str = "111.222", **arrival: Any) -> Lease:
        """A number for a new visitor."""
        who = Arrival(ga_client_id=client_id, **arrival)

        async def given() -> Lease | None:
            with contextlib.suppress(DatabaseUnavailable):  # others write, on a busy machine slowly
                return await lease_number(self.store, "main", who, bootstrap.now())
            return None

        return await self.until(given, "no number was leased")

    async def put(self, *records: Any) -> None:
        """Add or change what is set up."""
        async with self.store.write() as session:
            for record in records:
                key = getattr(record, "e164", None) or record.id
                await (session.change if await session.peek(type(record), key) else session.add)(
                    record
                )

    async def direct(self, destination: Destination) -> None:
        """Change a destination's steps, and wait until the agent goes by it: the fallback is of the
        same table.
        """
        await self.put(destination)
        route = "^".join(f"{step.dial}~{step.ring_seconds}" for step in destination.steps)

        async def pushed() -> bool:
            return route in self.settings.fallback.read_text()

        await self.until(pushed, "the agent did not take up the destination")

    async def until(
        self, look: Callable[[], Awaitable[Found | None]], complaint: str, timeout: float = 180.0
    ) -> Found:
        """Look until something is found; the logs come with the complaint. Looking takes a fifth of
        the time at most: the processor is for what is waited for.
        """
        deadline = time.monotonic() + timeout
        while (began := time.monotonic()) < deadline:
            if found := await look():
                return found
            await asyncio.sleep(min(max(0.05, 4 * (time.monotonic() - began)), 1.0))
        log = self.settings.asterisk_home / "log/messages"
        raise AssertionError(
            f"{complaint} within {timeout} s\n{log.read_text()[-2000:] if log.exists() else ''}"
        )


@asynccontextmanager
async def system(
    home: Path,
    *,
    company: tuple[str, ...] = ("PJSIP/head-office",),
    webhook: str | None = None,
    **settings: Any,
) -> AsyncIterator[System]:
    """A system in `home`, set up with a shop, an office and numbers, nothing started yet.
    Its calls wait for the agent as long as may be set, for this machine may be slow.

    Trunks: `carrier` at 127.0.0.2, `head-office` at 127.0.0.3, `second` at 127.0.0.4, `dead` at
    127.0.0.5, each found by its address; the port of a company line is given with `line`.
    """
    chosen = Settings(
        **{
            "home": home,
            "sip_bind": "127.0.0.1",
            "route_deadline_ms": 2000,
            **_free_ports(),
            **settings,
        }
    )
    secrets = await bootstrap.prepare(chosen)
    async with bootstrap.open_store(chosen) as store:
        running = System(settings=chosen, secrets=secrets, store=store)
        now = bootstrap.now()
        steps = tuple(Step(dial=dial, ring_seconds=20) for dial in company)
        await running.put(
            Destination(id="office", name="Office", steps=steps, created_at=now),
            Site(
                id="shop",
                name="Shop",
                destination_id="office",
                origins=("https://shop.example",),
                created_at=now,
            ),
            Pool(id="main", site_id="shop", name="Everybody", created_at=now),
            *(_number(number, now) for number in NUMBERS),
            TrackingNumber(
                e164=STATIC,
                site_id="shop",
                kind=NumberKind.STATIC,
                channel="billboard",
                free_at=now,
                created_at=now,
            ),
        )
        if webhook:
            await running.put(Webhook(id="crm", url=webhook, created_at=now))
        try:
            yield running
        finally:
            await running.stop(*reversed(list(running.processes)))
            shutil.rmtree(chosen.answers, ignore_errors=True)  # in memory, not in `home`


def line(running: System, **ports: int) -> None:
    """Write the trunks: `company=…`, `second=…` are the SIP ports of lines that answer there."""
    trunks = Trunks(running.settings.ringtrace_etc)
    for known in trunks.all():
        trunks.remove(known.name)
    trunks.add(Trunk(name="carrier", kind=TrunkKind.IP, host=CARRIER, cli=Cli.PASS))
    trunks.add(Trunk(name="carrier-to", kind=TrunkKind.IP, host="127.0.0.6", did_from=DidFrom.TO))
    trunks.add(
        Trunk(name="carrier-pcpid", kind=TrunkKind.IP, host="127.0.0.7", did_from=DidFrom.PCPID)
    )
    for name, key, address in (
        ("head-office", "company", COMPANY),
        ("second", "second", SECOND),
        ("dead", "dead", DEAD),
    ):
        host = f"{address}:{ports.get(key, 9)}"
        trunks.add(
            Trunk(name=name, kind=TrunkKind.IP, side=Side.COMPANY, host=host, match=(address,))
        )


def children(running: System) -> list[psutil.Process]:
    """Every process of the system with its children."""
    found = [psutil.Process(process.pid) for process in running.processes.values()]
    return [*found, *(child for process in found for child in process.children(recursive=True))]


def spool_names(running: System) -> Sequence[str]:
    """What lies in the spool."""
    return sorted(path.name for path in running.settings.spool.iterdir() if path.is_file())


def _number(e164: str, now: Any) -> TrackingNumber:
    return TrackingNumber(
        e164=e164,
        site_id="shop",
        kind=NumberKind.DYNAMIC,
        pool_id="main",
        free_at=now,
        created_at=now,
    )


def _free_ports() -> dict[str, int]:
    """Free ports; RTP gets a range of 400, of which Asterisk takes those that are free."""
    ports = {name: free_port() for name in ("web_port", "sip_port", "ami_port", "sip_copies_port")}
    start = 40_000 + (os.getpid() * 401 + ports["web_port"]) % 24_000 // 400 * 400
    return {**ports, "rtp_start": start, "rtp_end": start + 399}
