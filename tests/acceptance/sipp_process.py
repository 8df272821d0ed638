"""One SIPp process, and what its logs say."""

import asyncio
import contextlib
import csv
import signal
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from router.supervise import SOUND_FIRST
from tests.acceptance.sip_log import Message, Result, read_messages
from tests.support.ports import free_port


class Sipp:
    """One SIPp process on a free port: `async with` it, then `finished()` or `stop()` for its
    Result.
    """

    def __init__(self, work: Path, scenario: str, *arguments: str, host: str = "127.0.0.1") -> None:
        work.mkdir(parents=True)
        (work / "scenario.xml").write_text(scenario, encoding="utf-8")
        self.port = free_port(host)
        self.host = host
        self._work = work
        self._arguments = arguments

    async def __aenter__(self) -> Self:
        log = (self._work / "output").open("wb")
        with log:
            self._process = await asyncio.create_subprocess_exec(
                "sipp", *self._arguments, "-sf", "scenario.xml", "-i", self.host, "-p", str(self.port),  # noqa: E501
                "-nostdin", "-aa", "-trace_msg", "-message_file", "messages", "-trace_err", "-error_file", "errors",  # noqa: E501
                "-trace_stat", "-stf", "statistics", "-fd", "1",
                cwd=self._work, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        with contextlib.suppress(psutil.AccessDenied, psutil.NoSuchProcess):
            # as Asterisk: what a phone sends late is not heard in time
            psutil.Process(self._process.pid).nice(psutil.Process().nice() + SOUND_FIRST)
        async with asyncio.timeout(180):
            while self._process.returncode is None and not self._bound():
                await asyncio.sleep(0.02)
        assert self._process.returncode in {None, 0, 1}, (self._work / "output").read_text(
            errors="replace"
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop(patience=0)

    async def finished(self, timeout: float) -> Result:
        """Wait until all calls are done."""
        await asyncio.wait_for(self._process.wait(), timeout)
        return self._read()

    async def stop(self, patience: float = 3.0) -> Result:
        """End it: take no more calls, give those in progress `patience`, then break off."""
        for ending in (signal.SIGUSR1, signal.SIGUSR1, signal.SIGKILL):
            if self._process.returncode is None:
                self._process.send_signal(ending)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._process.wait(), patience or 1.0)
        await self._process.wait()
        return self._read()

    def messages(self) -> tuple[Message, ...]:
        """What it has sent and received up to now."""
        log = self._work / "messages"
        return tuple(read_messages(log.read_bytes())) if log.exists() else ()

    def _bound(self) -> bool:
        with contextlib.suppress(psutil.Error):
            connections = psutil.Process(self._process.pid).net_connections("udp")
            return any(connection.laddr.port == self.port for connection in connections)
        return False

    def _read(self) -> Result:
        rows: list[dict[str, str]] = [{}]
        if (self._work / "statistics").exists():
            with (self._work / "statistics").open(newline="") as file:
                rows += csv.DictReader(file, delimiter=";")
        errors = self._work / "errors"
        return Result(
            exit_code=self._process.returncode or 0,
            attempted=int(rows[-1].get("TotalCallCreated", 0)),
            ok=int(rows[-1].get("SuccessfulCall(C)", 0)),
            failed=int(rows[-1].get("FailedCall(C)", 0)),
            messages=self.messages(),
            errors=errors.read_text(errors="replace") if errors.exists() else "",
        )
