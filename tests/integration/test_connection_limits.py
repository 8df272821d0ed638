"""What a connection may cost the web process: the size of a head, the time of a request, the number of connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from fastapi import FastAPI, Request

from router.web import connection_limits
from router.web.connection_limits import LimitedConnection
from router.web.server import Server

REQUEST = b"GET /fine HTTP/1.1\r\nHost: a\r\n"


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    """A small application behind our own server; its port."""
    app = FastAPI()

    @app.get("/fine")
    async def fine() -> str:
        return "fine"

    @app.post("/size")
    async def size(request: Request) -> int:
        return len(await request.body())

    server = Server(app, "127.0.0.1", 0)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


async def answer(port: int, head: bytes, body: bytes = b"") -> bytes:
    """The answer to one request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head + b"Connection: close\r\n\r\n" + body)
    try:
        return await reader.read()
    finally:
        writer.close()


async def is_closed(reader: asyncio.StreamReader) -> bool:
    """Wait until the other side has closed the connection."""
    with suppress(ConnectionError):
        while await reader.read(4096):
            pass
    return True


@pytest.mark.parametrize("lines", [1, 5_000])
async def test_a_head_beyond_its_size_is_refused_and_the_others_are_answered(lines: int) -> None:
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        line = b"X-A: " + b"a" * (8_000_000 // lines) + (b"\r\n" if lines > 1 else b"")
        with suppress(ConnectionError):
            writer.write(REQUEST + line * lines)
            await writer.drain()
        assert b"fine" in await answer(port, REQUEST)
        with suppress(ConnectionError):
            assert b" 431 " in await reader.read(100)
        assert await is_closed(reader)
        writer.close()


async def test_an_ordinary_head_with_a_large_body_in_the_same_packet_is_taken() -> None:
    async with serving() as port:
        body = b"b" * 400_000
        head = b"POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n" % len(body)
        assert b"400000" in await answer(port, head, body)


@pytest.mark.parametrize("beginning", [b"", b"GET /fi", REQUEST])
async def test_a_request_that_is_never_finished_ends(monkeypatch: pytest.MonkeyPatch, beginning: bytes) -> None:
    monkeypatch.setattr(connection_limits, "HEAD_SECONDS", 0.2)
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(beginning)
        assert await is_closed(reader)
        writer.close()


async def test_a_body_that_never_comes_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_limits, "BODY_SECONDS", 0.2)
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
        assert await is_closed(reader)
        writer.close()


async def test_several_requests_on_one_connection_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(REQUEST + b"\r\n")
            assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(6) == b'"fine"'
        writer.close()


async def test_idle_connections_give_way_when_there_are_too_many() -> None:
    async with serving() as port:
        LimitedConnection.most = 20
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(60)]
        assert b"fine" in await answer(port, REQUEST)
        assert await is_closed(idle[0][0])
        for _, writer in idle:
            writer.close()
