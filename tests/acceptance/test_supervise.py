"""`ringtrace run` as people start it: it restarts what dies, leaves nothing behind, and lives
beside another one.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from router.config import Settings
from router.domain.calls.call import RoutedBy
from router.supervise import DESCRIPTORS, SHORT_LOOKUPS, SOUND_FIRST
from tests.acceptance import sip
from tests.acceptance.calling import Voices, company_line
from tests.acceptance.promises import crowd, kept, subscribe, visitors
from tests.acceptance.receiver import Receiver
from tests.acceptance.system import System, line, system

ALL = {"asterisk", "agent", "worker", "web"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
async def test_however_it_ends_no_process_is_left(tmp_path: Path, number: signal.Signals) -> None:
    async with system(tmp_path / "home") as running, supervised(running, tmp_path) as process:
        before = parts(running.settings)
        assert set(before) == ALL
        process.send_signal(number)
        code = await asyncio.wait_for(process.wait(), 180)
        assert code == (-signal.SIGKILL if number is signal.SIGKILL else 0)
        await nothing_left(running)


async def test_on_a_busy_machine_sound_goes_first_and_what_can_wait_last(tmp_path: Path) -> None:
    async with system(tmp_path / "home") as running, supervised(running, tmp_path) as process:
        pids = parts(running.settings)
        assert {os.getsid(pid) for pid in pids.values()} == {os.getsid(process.pid)}, (
            "Linux shares out by session first"
        )
        niceness = {name: psutil.Process(pid).nice() for name, pid in pids.items()}
        ours = psutil.Process().nice()
        assert niceness["worker"] > niceness["web"] == niceness["agent"] == ours
        assert niceness["asterisk"] == ours + (SOUND_FIRST if os.geteuid() == 0 else 0)
        environment = psutil.Process(pids["asterisk"]).environ()
        assert environment.items() >= SHORT_LOOKUPS.items(), "a dead name server does not delay it"
        for name, pid in pids.items():  # ten calls take 120
            least, most = psutil.Process(pid).rlimit(psutil.RLIMIT_NOFILE)
            assert least == min(DESCRIPTORS, most), name


async def test_whatever_dies_is_started_again(tmp_path: Path, voice: Voices) -> None:
    async with system(tmp_path / "home") as running, supervised(running, tmp_path):
        before = parts(running.settings)
        for pid in before.values():
            os.kill(pid, signal.SIGKILL)

        async def again() -> bool:
            after = parts(running.settings)
            return set(after) == ALL and not set(after.values()) & set(before.values())

        await running.until(again, "not all were started again")
        await ready(running)
        await take_calls(running, tmp_path, voice, 1)


async def test_two_instances_side_by_side_take_calls_at_once(tmp_path: Path, voice: Voices) -> None:
    async with (
        system(tmp_path / "one") as one,
        system(tmp_path / "two") as two,
        supervised(one, tmp_path),
        supervised(two, tmp_path),
    ):
        await asyncio.gather(
            take_calls(one, tmp_path / "first", voice, 5),
            take_calls(two, tmp_path / "second", voice, 5),
        )
        assert len(await one.calls()) == len(await two.calls()) == 5


async def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    async with system(tmp_path / "home") as running:
        with socket.create_server(("127.0.0.1", running.settings.web_port)):
            process = await run(running, tmp_path)
            assert await asyncio.wait_for(process.wait(), 180) == 1
        said = said_by(running, tmp_path)
        assert f"127.0.0.1:{running.settings.web_port} cannot be used" in said.replace("\n", " ")
        assert "RINGTRACE_WEB_PORT" in said
        assert "Traceback" not in said
        await nothing_left(running)


async def take_calls(running: System, work: Path, voice: Voices, count: int) -> None:
    """Calls at once, with everything that is promised of a call."""
    work.mkdir(exist_ok=True)
    async with Receiver().listening() as receiver:
        await subscribe(running, "crm", receiver)
        everybody = await visitors(running, voice, count)
        async with (
            company_line(running, work, sip.answers(0.2, speech=voice.company)),
            crowd(running, work, everybody, rate=5) as callers,
        ):
            assert (await callers.finished(180)).statuses == (200,) * count
        calls = await kept(running, receiver, everybody, listen=[0])
        assert {call.routed_by for call in calls} == {RoutedBy.AGENT}


@asynccontextmanager
async def supervised(running: System, work: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """`ringtrace run`, ready for calls."""
    line(running)
    process = await run(running, work)
    try:
        await ready(running)
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await asyncio.wait_for(process.wait(), 180)
        for left in of(running.settings):
            left.kill()  # a test that failed leaves nothing behind either


async def run(running: System, work: Path) -> asyncio.subprocess.Process:
    """`ringtrace run` in a process that knows these settings alone."""
    others = {
        name: value for name, value in os.environ.items() if not name.startswith("RINGTRACE_")
    }
    with (work / f"{running.settings.home.name}.log").open("wb") as log:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "router", "run"),
            env={**others, **running.settings.environment(), "COLUMNS": "200"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def said_by(running: System, work: Path) -> str:
    """What it printed."""
    return (work / f"{running.settings.home.name}.log").read_text()


async def ready(running: System) -> None:
    """All parts are there, the agent answers, the pages too."""

    async def look() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", running.settings.web_port)
        except OSError:
            return False
        writer.close()
        return set(parts(running.settings)) == ALL and await running.agent_beats()

    await running.until(look, "it did not start")


def parts(settings: Settings) -> dict[str, int]:
    """The process of each part that lives in this home, by its name."""
    found = {}
    for process in of(settings):
        words = process.info["cmdline"] or []  # one that died meanwhile has none
        name = (
            words[-1]
            if "router" in words
            else "asterisk"
            if "-C" in words and "-f" in words
            else ""
        )
        if name in ALL:
            found[name] = process.pid
    return found


def of(settings: Settings) -> list[psutil.Process]:
    """Every process that was started for this home."""
    return [
        process
        for process in psutil.process_iter(["cmdline", "environ", "status"])
        if (process.info["environ"] or {}).get("RINGTRACE_HOME") == str(settings.home)
        and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


async def nothing_left(running: System) -> None:
    """No process of this home lives."""

    async def look() -> bool:
        return not of(running.settings)

    await running.until(look, f"still there: {[p.info['cmdline'] for p in of(running.settings)]}")
