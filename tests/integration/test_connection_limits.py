"""What a connection may cost the web process: size of a head, time, number of connections."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from fastapi import FastAPI, Request, Response

from router.web import connection_limits
from router.web.connection_limits import LimitedConnection
from router.web.server import Server

LARGE = 20_000_000
slow_readers: list[Request] = []
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

    @app.get("/large")
    async def large() -> Response:
        return Response(b"l" * LARGE)

    @app.get("/slow")
    async def slow(request: Request) -> str:
        slow_readers.append(request)
        while not await request.is_disconnected():
            await asyncio.sleep(0.01)
        slow_readers.remove(request)
        return "slow"

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
        async with asyncio.timeout(180):
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
async def test_a_request_that_is_never_finished_ends(
    monkeypatch: pytest.MonkeyPatch, beginning: bytes
) -> None:
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


async def test_several_requests_on_one_connection_are_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
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


async def test_a_request_that_was_answered_before_its_body_came_does_not_keep_its_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection_limits, "HEAD_SECONDS", 0.5)
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n")
        assert b" 404 " in await reader.readuntil(b"}")
        writer.write(b"abc")
        assert await is_closed(reader)
        writer.close()


async def test_connections_that_were_answered_early_give_way_like_idle_ones() -> None:
    async with serving() as port:
        LimitedConnection.most = 5
        early = []
        for _ in range(8):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n")
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await reader.readuntil(b"}")
                writer.write(b"abc")
                await writer.drain()
            early.append(writer)
        assert b"fine" in await answer(port, REQUEST)
        for writer in early:
            writer.close()


@pytest.mark.parametrize(
    "trailer", [b"X-A: " + b"a" * 4_000_000, b"X-A: a\r\n" * 500_000, b"1;" + b"e" * 4_000_000]
)
async def test_what_follows_or_frames_a_chunked_body_is_limited_too(trailer: bytes) -> None:
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        end = b"" if trailer.startswith(b"1;") else b"0\r\n"
        with suppress(ConnectionError):
            writer.write(
                b"POST /size HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                + end
                + trailer
            )
            await writer.drain()
        assert await is_closed(reader)
        writer.close()


async def test_a_chunked_body_of_small_chunks_is_taken() -> None:
    async with serving() as port:
        chunks = b"40\r\n" + b"b" * 64 + b"\r\n"
        head = b"POST /size HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
        assert b"640000" in await answer(port, head, chunks * 10_000 + b"0\r\nX-Sum: 1\r\n\r\n")


async def test_a_request_with_two_hosts_is_refused() -> None:
    async with serving() as port:
        assert b" 400 " in await answer(port, REQUEST + b"Host: evil.example\r\n")


async def test_requests_sent_before_the_answers_are_limited() -> None:
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with suppress(ConnectionError):
            writer.write((REQUEST + b"\r\n") * 50_000)
            await writer.drain()
        assert await is_closed(reader)
        writer.close()


async def test_a_few_requests_sent_at_once_are_answered_in_turn() -> None:
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write((REQUEST + b"\r\n") * 10)
        for _ in range(10):
            assert b"200 OK" in await reader.readuntil(b'"fine"')
        writer.close()


async def test_an_answer_under_way_ends_with_its_connection_though_another_request_waits_behind() -> (  # noqa: E501
    None
):
    async with serving() as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n" + REQUEST + b"\r\n")
        async with asyncio.timeout(180):
            while not slow_readers:
                await asyncio.sleep(0.01)
            writer.close()
            while slow_readers:
                await asyncio.sleep(0.01)


async def test_an_answer_under_way_is_not_closed_for_being_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HEAD_SECONDS", "BODY_SECONDS"):
        monkeypatch.setattr(connection_limits, name, 0.1)
    async with serving() as port:
        LimitedConnection.most = 5
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        async with asyncio.timeout(180):
            while not slow_readers:
                await asyncio.sleep(0.01)
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(20)]
        for other, _ in idle:
            assert await is_closed(other)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.1)
        for _, other_writer in idle:
            other_writer.close()
        writer.close()


async def test_a_reader_that_pauses_gets_the_rest_later(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEAD_SECONDS", "BODY_SECONDS"):
        monkeypatch.setattr(connection_limits, name, 0.1)
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.5)  # the stream's own buffer is full, and the kernel's
        assert len(await reader.read()) == LARGE
        writer.close()


async def test_bodies_that_are_not_whole_are_limited_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection_limits, "HELD_BYTES", 1_000_000)
    async with serving() as port:
        _, small = await asyncio.open_connection("127.0.0.1", port)
        small.write(b"POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\nsmall")
        large = [await asyncio.open_connection("127.0.0.1", port) for _ in range(4)]
        for _, writer in large:
            with suppress(ConnectionError):
                writer.write(
                    b"POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n"
                    + b"l" * 400_000
                )
                await writer.drain()
        closed = [asyncio.create_task(is_closed(reader)) for reader, _ in large]
        done, waiting = await asyncio.wait(closed, return_when=asyncio.FIRST_COMPLETED, timeout=180)
        assert done
        assert not small.transport.is_closing()
        assert LimitedConnection.held_bytes <= 1_000_000
        for task in waiting:
            task.cancel()
        for _, writer in [*large, (None, small)]:
            writer.close()
    assert LimitedConnection.held_bytes == 0


def test_what_strangers_may_cause_often_is_logged_once_a_minute() -> None:
    seldom = connection_limits.Seldom()
    lines = [
        logging.LogRecord("uvicorn.error", logging.WARNING, "", 0, "Once, please.", None, None)
        for _ in range(3)
    ]
    assert [seldom.filter(line) for line in lines] == [True, False, False]
