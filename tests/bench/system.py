"""Our whole system in a home of its own, on free ports, with a bare dialplan beside ours on the
same Asterisk.

Every benchmark starts one and leaves nothing behind. 200 tracking numbers, each leased to a
visitor; half of them go to a destination that gets the client ID, which costs the agent a look
into the database. The bare carrier's calls meet a context that asks no process: `BARE` dials,
`BARE_RECORDED` records too.
"""

import asyncio
import os
import random
import socket
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psutil
from sqlalchemy import func, select

from router import asterisk_setup, bootstrap, supervise
from router.asterisk.answers import last_beat
from router.asterisk.trunks import Side, Trunk, TrunkKind, Trunks
from router.config import Settings, load_settings
from router.domain.calls.call import RecordingState, State
from router.domain.calls.call_filter import CallFilter
from router.secrets import Secrets
from router.store import tables
from router.store.engine import SqlStore
from tests.bench.leased_numbers import set_up

# where the callers of ours and of the bare dialplan send from
CARRIER, BARE_CARRIER = (
    "127.0.0.2",
    "127.0.0.4",
)
SIPP = "127.0.0.1"  # SIPp's callers are ours
BARE, BARE_RECORDED = ("1000",), ("2000",)
_KEPT = {"RINGTRACE_CACHE", "RINGTRACE_ASTERISK_PROGRAM"}  # where Asterisk is, not how ours is set
_PATIENCE = 300.0  # the worker may have some thousand recordings to look at

_BARE_DIALPLAN = """
[bare]
exten => 1000,1,Dial(PJSIP/bare-company,30)
 same => n,Hangup()
exten => 2000,1,MixMonitor(,br({spool}/${{UNIQUEID}}-caller.sln)t({spool}/${{UNIQUEID}}-company.sln))
 same => n,Dial(PJSIP/bare-company,30)
 same => n,Hangup()
"""  # noqa: E501
_BARE_CARRIER = "\n[bare-carrier](+type=endpoint)\ncontext = bare\n"


class NotSettled(Exception):
    """The system did not come to rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """What a benchmark may touch."""

    settings: Settings
    secrets: Secrets
    store: SqlStore
    parts: Mapping[str, asyncio.subprocess.Process]

    async def console(self, command: str) -> str:
        """What Asterisk prints for a console command."""
        return await asterisk_setup.console(self.settings).run(command)

    async def write_cel_log(self, on: bool) -> None:
        """Switch CEL; a bare `Dial()` is measured without it."""
        path = self.settings.asterisk_etc / "cel.conf"
        new, old = ("yes", "no") if on else ("no", "yes")
        path.write_text(path.read_text().replace(f"enable = {old}", f"enable = {new}"))
        await self.console("module reload cel")

    async def settled(self) -> None:
        """Wait until Asterisk has no call, every call has ended in the database and no recording
        waits.
        """
        async with asyncio.timeout(_PATIENCE):
            while (
                "0 active channels" not in await self.console("core show channels count")
                or await self._pending()
            ):
                await asyncio.sleep(0.2)

    async def routed(self, since: datetime) -> dict[tuple[str | None, str | None], int]:
        """How many calls that arrived since then, by `routed_by` and `ending`."""
        call = tables.call.c
        query = select(call.routed_by, call.ending, func.count()).where(call.arrived_at >= since)
        async with self.store.read() as session:
            rows = await session.connection.execute(query.group_by(call.routed_by, call.ending))
            return {(row[0], row[1]): row[2] for row in rows}

    async def newest_call(self) -> str | None:
        """The id of the call that arrived last."""
        async with self.store.read() as session:
            calls = await session.calls.find(CallFilter(), limit=1)
        return calls[0].id if calls else None

    def cpu(self, part: str) -> float:
        """CPU seconds that a part's own processes have used; ffmpeg, its child, is not counted."""
        process = psutil.Process(self.parts[part].pid)
        own = [
            process,
            *(child for child in process.children(recursive=True) if child.name() != "ffmpeg"),
        ]
        return sum(times.user + times.system for times in (process.cpu_times() for process in own))

    def cpu_of_encoding(self, part: str) -> float:
        """CPU seconds of the threads that read, measure and store the audio around ffmpeg."""
        process = psutil.Process(self.parts[part].pid)
        return sum(t.user_time + t.system_time for t in process.threads() if t.id != process.pid)

    def cpu_of_children(self, part: str) -> float:
        """CPU seconds of the children that have ended: ffmpeg."""
        times = psutil.Process(self.parts[part].pid).cpu_times()
        return float(times.children_user + times.children_system)

    async def _pending(self) -> bool:
        open_calls = select(func.count()).where(tables.call.c.state != State.ENDED)
        waiting = select(func.count()).where(tables.recording.c.state == RecordingState.WAITING)
        async with self.store.read() as session:
            counts = [
                (await session.connection.execute(query)).scalar_one()
                for query in (open_calls, waiting)
            ]
        return any(counts)


@asynccontextmanager
async def running(
    *,
    sip_port: int,
    company_port: int,
    bare_port: int = 9,
    parts: Sequence[str] = ("asterisk", "agent", "worker"),
) -> AsyncIterator[System]:
    """The system, ready for calls. The company lines must answer at their ports before it
    starts.
    """
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ringtrace-bench-")))
        settings = _settings(home, sip_port)
        secrets = await bootstrap.prepare(settings)
        _add_trunks(settings, company_port, bare_port)
        store = await stack.enter_async_context(bootstrap.open_store(settings))
        await set_up(store, bootstrap.now())
        started = {}
        for part in supervise.parts(settings):
            if part.name in parts:
                process = await supervise.start(part, settings)
                stack.push_async_callback(supervise.stop, process)
                started[part.name] = process
        system = System(settings=settings, secrets=secrets, store=store, parts=started)
        await _ready(system)
        yield system


def free_tcp_port() -> int:
    """A free TCP port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _settings(home: Path, sip_port: int) -> Settings:
    """Written to the home's own file, because the parts read them there; the caller's own settings
    do not count.
    """
    for name in [
        name for name in os.environ if name.startswith("RINGTRACE_") and name not in _KEPT
    ]:
        del os.environ[name]
    rtp = random.randrange(11_000, 21_000, 2)  # a port that is taken is skipped by Asterisk
    lines = {
        "web_port": free_tcp_port(), "ami_port": free_tcp_port(), "sip_bind": "127.0.0.1", "sip_port": sip_port,  # noqa: E501
        "rtp_start": rtp, "rtp_end": rtp + 3999, "log_level": "error",
    }  # fmt: skip
    (home / "ringtrace.toml").write_text(
        "".join(f"{name} = {value!r}\n" for name, value in lines.items())
    )
    os.environ["RINGTRACE_HOME"] = str(home)
    return load_settings()


def _add_trunks(settings: Settings, company_port: int, bare_port: int) -> None:
    trunks = Trunks(settings.ringtrace_etc)
    nowhere = "127.0.0.9"
    for name, addresses in (("bench-carrier", (CARRIER, SIPP)), ("bare-carrier", (BARE_CARRIER,))):
        trunks.add(Trunk(name=name, kind=TrunkKind.IP, host=f"{nowhere}:9", match=addresses))
    for name, port in (("bench-company", company_port), ("bare-company", bare_port)):
        host, kind = f"127.0.0.1:{port}", TrunkKind.IP
        trunks.add(Trunk(name=name, kind=kind, side=Side.COMPANY, host=host, match=(nowhere,)))
    spool = settings.home / "bare-spool"
    spool.mkdir()
    with (settings.asterisk_etc / "extensions.conf").open("a") as file:
        file.write(_BARE_DIALPLAN.format(spool=spool))
    with (settings.asterisk_etc / "pjsip.conf").open("a") as file:
        file.write(_BARE_CARRIER)


async def _ready(system: System) -> None:
    async with asyncio.timeout(_PATIENCE):
        while not await _beating(system):
            dead = [
                name for name, process in system.parts.items() if process.returncode is not None
            ]
            if dead:
                raise NotSettled(f"{', '.join(dead)} ended at the start")
            await asyncio.sleep(0.1)


async def _beating(system: System) -> bool:
    return bootstrap.now().timestamp() - (last_beat(system.settings.answers) or 0) < 3
