"""A TCP proxy between the agent and Asterisk's manager interface that is slow, silent or cut when a
test wants it.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass(eq=False)
class Connection:
    """One connection of the agent."""

    agent: asyncio.StreamWriter
    asterisk: asyncio.StreamWriter
    said: bytearray = field(default_factory=bytearray)  # by the agent
    heard: bytearray = field(default_factory=bytearray)  # from Asterisk
    ended_at: float | None = None  # time.time() when the agent left it

    def cut(self) -> None:
        """Break off both ends at once."""
        self.agent.transport.abort()
        self.asterisk.transport.abort()


class Proxy:
    """`delay` in seconds each way; while `to_asterisk` or `to_agent` is cleared nothing passes in
    that direction.
    """

    def __init__(self, target_port: int) -> None:
        self.delay = 0.0
        self.to_asterisk, self.to_agent = asyncio.Event(), asyncio.Event()
        self.connections: list[Connection] = []
        self._target_port = target_port
        self.resume()

    def hang(self) -> None:
        """Stay connected and say nothing any more."""
        self.to_asterisk.clear()
        self.to_agent.clear()

    def resume(self) -> None:
        """Pass everything on again."""
        self.to_asterisk.set()
        self.to_agent.set()

    def cut(self) -> None:
        """End the route responder's connection without a goodbye."""
        self.ear.cut()

    @property
    def ear(self) -> Connection:
        """The agent's newest connection that beats; the other one only listens."""
        return [connection for connection in self.connections if b"Ping" in connection.said][-1]

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """Accept connections; the port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()
            for connection in self.connections:
                connection.cut()

    async def _serve(
        self, from_agent: asyncio.StreamReader, to_agent: asyncio.StreamWriter
    ) -> None:
        try:
            from_asterisk, to_asterisk = await asyncio.open_connection(
                "127.0.0.1", self._target_port
            )
        except OSError:
            to_agent.transport.abort()
            return
        connection = Connection(agent=to_agent, asterisk=to_asterisk)
        self.connections.append(connection)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(
                self._carry(from_agent, to_asterisk, self.to_asterisk, connection.said, connection)
            )
            tasks.create_task(
                self._carry(from_asterisk, to_agent, self.to_agent, connection.heard, connection)
            )
        if connection.ended_at is None:
            connection.ended_at = time.time()

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        passing: asyncio.Event,
        seen: bytearray,
        connection: Connection,
    ) -> None:
        """Read at once, so that an end is noticed at once; pass on late, in order."""
        line: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        later = asyncio.create_task(_pass_on(line, writer, passing))
        with suppress(OSError):
            while data := await reader.read(65536):
                seen += data
                line.put_nowait((time.monotonic() + self.delay, data))
        if seen is connection.said:
            connection.ended_at = time.time()
        later.cancel()
        connection.cut()


async def _pass_on(
    line: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter, passing: asyncio.Event
) -> None:
    while True:
        due, data = await line.get()
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        await passing.wait()
        writer.write(data)
