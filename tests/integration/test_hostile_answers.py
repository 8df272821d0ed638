"""Answers that never end, each in its own way: each costs a bounded time, and that of no other."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from router.receivers import json_body
from router.receivers.http import HttpClient, TooLarge
from router.receivers.json_body import read_json
from router.service.delivery.outcomes import ReceiverUnavailable
from tests.support.hostile import CHUNKED, OK, endless
from tests.support.receiver import Receiver, receiver


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Receiver]:
    async with receiver() as made:
        yield made


async def ask(server: Receiver, *, seconds: float) -> None:
    http = HttpClient(f"http://127.0.0.1:{server.port}", {}, seconds=seconds)
    try:
        await http.ask("GET", "x")
    finally:
        await http.close()


@pytest.mark.parametrize(
    ("beginning", "more"),
    [
        (OK, b"A: b\r\n" * 1000),
        (OK + b"A: ", b"x" * 65536),
        (CHUNKED + b"1;", b"x" * 65536),
        (CHUNKED + b"0\r\n", b"A: b\r\n" * 1000),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        (b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 1000),
    ],
    ids=["headers", "one header", "one chunk's length", "trailers", "continue", "early hints"],
)
async def test_what_never_comes_to_its_body_is_given_up(
    beginning: bytes, more: bytes, server: Receiver
) -> None:
    server.answer = endless(beginning, more)
    with pytest.raises(ReceiverUnavailable):
        await ask(server, seconds=1)


@pytest.mark.parametrize(
    ("beginning", "more"),
    [
        (OK + b"Content-Length: 10000000000\r\n\r\n", b"x" * 65536),
        (CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n"),
        (CHUNKED, b"1\r\nx\r\n" * 1000),
    ],
    ids=["ten gigabytes", "large chunks", "chunks of a byte"],
)
async def test_a_body_without_end_is_given_up_before_the_time_is(
    beginning: bytes, more: bytes, server: Receiver
) -> None:
    server.answer = endless(beginning, more)
    with pytest.raises(TooLarge):
        await ask(server, seconds=120)


async def test_a_long_answer_is_read_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "[" + "{}," * 30_000 + r'"\u0000\ud800"]'
    assert len(text) > json_body.LONG
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    value = await read_json(text)
    task.cancel()
    assert (len(value), value[-1]) == (30_001, "\ufffd\ufffd")
    assert turns > 1


async def test_a_mark_of_byte_order_before_json_is_no_part_of_it() -> None:
    assert await read_json('\ufeff{"id": 12345678901234567890}') == {"id": 12345678901234567890}
