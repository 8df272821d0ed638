"""A manager interface on this machine that does as a test tells it: answers, keeps silent, drops,
talks rubbish.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from router.asterisk import ami
from router.asterisk.ami import Ami, Event

Action = dict[str, str]


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Runs beside the block, and is cancelled at its end."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short pauses between attempts; for an answer there is time enough, however slow this machine
    is.
    """
    for name, seconds in {
        "FIRST_PAUSE": 0.01,
        "LONGEST_PAUSE": 0.05,
        "REPLY_SECONDS": 60,
        "CONNECT_SECONDS": 60,
    }.items():
        monkeypatch.setattr(ami, name, seconds)


async def until(true: Callable[[], bool]) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(180):
        while not true():
            await asyncio.sleep(0.005)


class Manager:
    """Remembers actions; `answers` says what becomes of each. Every connection is a `Line`."""

    def __init__(self) -> None:
        self.port = 0
        self.actions: list[Action] = []
        self.lines: list[Line] = []
        self.secret = "secret"
        self.answers: Callable[[Line, Action], Awaitable[None]] = Line.succeed
        self.greets: Callable[[Line], Awaitable[None]] | None = None

    def named(self, name: str) -> list[Action]:
        return [action for action in self.actions if action["action"] == name]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line(reader, writer)
        self.lines.append(line)
        with suppress(OSError, asyncio.IncompleteReadError):
            try:
                line.write(b"Asterisk Call Manager/11.0.0\r\n")
                if self.greets:
                    return await self.greets(line)
                while True:
                    action = await line.read()
                    self.actions.append(action)
                    line.actions.append(action)
                    if action["action"] == "Login" and action["secret"] != self.secret:
                        line.reply(action, "Error", Message="Authentication failed")
                    elif action["action"] == "Login":
                        line.reply(action, "Success", Message="Authentication accepted")
                    else:
                        await self.answers(line, action)
            finally:
                line.closed.set()
                writer.close()


class Line:
    """One connection of the manager, seen from Asterisk's side."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.actions: list[Action] = []
        self.closed = asyncio.Event()

    def write(self, data: bytes) -> None:
        self._writer.write(data)

    async def read(self) -> Action:
        text = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        return {
            name.lower(): value
            for name, _, value in (line.partition(": ") for line in text.strip().split("\r\n"))
        }

    def event(self, event: str, *headers: tuple[str, str]) -> None:
        lines = [f"Event: {event}", *(f"{name}: {value}" for name, value in headers), "", ""]
        self.write("\r\n".join(lines).encode())

    def reply(self, action: Action, response: str, **headers: str) -> None:
        lines = [f"Response: {response}"]
        lines += [f"ActionID: {action['actionid']}"] if "actionid" in action else []
        self.write(
            "\r\n".join([*lines, *(f"{k}: {v}" for k, v in headers.items()), "", ""]).encode()
        )

    async def succeed(self, action: Action) -> None:
        """Answer as Asterisk does when all is well."""
        self.reply(action, "Success", Message="Done")
        if action["action"] == "CoreShowChannels":
            self.channels(action)

    def channels(self, action: Action, *uniqueids: str) -> None:
        """The list that follows the answer to CoreShowChannels."""
        for uniqueid in uniqueids:
            self.event("CoreShowChannel", ("ActionID", action["actionid"]), ("Uniqueid", uniqueid))
        self.event(
            "CoreShowChannelsComplete", ("ActionID", action["actionid"]), ("EventList", "Complete")
        )

    def route_asked(self, did: str, serial: int = 0, *more: tuple[str, str]) -> None:
        """The dialplan's question, with the headers that Asterisk puts in front of those it was
        told.
        """
        own = (
            ("Channel", f"PJSIP/carrier-{serial}"),
            ("Uniqueid", f"rt1-1.{serial}"),
            ("CallerIDName", "Анна"),
        )
        self.event(
            "UserEvent",
            *own,
            ("UserEvent", "RingtraceRoute"),
            ("Call", f"rt1-1.{serial}"),
            ("DID", did),
            *more,
        )

    def drop(self) -> None:
        self._writer.transport.abort()


@asynccontextmanager
async def manager() -> AsyncIterator[Manager]:
    """A manager interface that accepts our login."""
    made = Manager()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for line in made.lines:
            line.drop()


def client(asterisk: Manager, secret: str = "secret") -> Ami:
    return Ami(host="127.0.0.1", port=asterisk.port, username="ringtrace", secret=secret)


async def next_event(ami: Ami) -> Event:
    async with asyncio.timeout(180):
        return await ami.events.get()


async def mute(_line: Line, _action: Action) -> None:
    """Hear, and never answer."""
