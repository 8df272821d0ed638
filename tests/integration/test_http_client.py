"""Speaking HTTP to other people's servers: what each of their answers means, and that none of them
hurts us.
"""

import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import pytest_asyncio

from router.receivers.header_times import LONGEST_PATIENCE
from router.receivers.http import NO_RIGHT, SLOW, HttpClient
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from tests.support.receiver import Answer, Receiver, drip, receiver, silence


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Receiver]:
    async with receiver() as made:
        yield made


@pytest_asyncio.fixture
async def http(server: Receiver) -> AsyncIterator[HttpClient]:
    made = HttpClient(
        f"http://127.0.0.1:{server.port}/base/", {"Authorization": "Bearer secret"}, seconds=60
    )
    yield made
    await made.close()


@pytest_asyncio.fixture
async def impatient(server: Receiver) -> AsyncIterator[HttpClient]:
    """For servers that never come to an end."""
    made = HttpClient(f"http://127.0.0.1:{server.port}", {}, seconds=1)
    yield made
    await made.close()


async def test_an_answer_comes_with_its_json(server: Receiver, http: HttpClient) -> None:
    server.says("200 OK", b'{"id": 7}', "X-Request-Id: abc")
    answer = await http.ask("POST", "/deals", params={"a": "б"}, json={"name": "Анна"})
    assert (answer.status, answer.body, answer.headers["x-request-id"]) == (200, {"id": 7}, "abc")
    request = server.requests[0]
    assert request.line == "POST /base/deals?a=%D0%B1 HTTP/1.1"
    assert request.headers["authorization"] == "Bearer secret"
    assert request.body.decode() == '{"name":"Анна"}'


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"[" * 100_000, b"\xff\xfe"])
async def test_what_is_no_json_is_none(body: bytes, server: Receiver, http: HttpClient) -> None:
    server.says("200 OK", body)
    assert (await http.ask("GET", "x")).body is None


@pytest.mark.parametrize(
    "status", ["500 Oops", "502 Bad Gateway", "503 Busy", "429 Slowly", "408 Late", "302 Elsewhere"]
)
async def test_what_may_pass_is_tried_again(
    status: str, server: Receiver, http: HttpClient
) -> None:
    server.says(status, b"<html>wait\x00</html>")
    with pytest.raises(ReceiverUnavailable, match=status[:3]) as caught:
        await http.ask("GET", "x")
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("status", ["400 Bad", "404 Nowhere", "409 There", "422 Wrong"])
async def test_what_cannot_pass_is_refused(status: str, server: Receiver, http: HttpClient) -> None:
    server.says(status, b'{"detail": "no such field"}')
    with pytest.raises(Refused, match="no such field"):
        await http.ask("GET", "x")


async def test_a_status_that_is_expected_is_an_answer(server: Receiver, http: HttpClient) -> None:
    server.says("404 Nowhere", b"{}")
    assert (await http.ask("GET", "x", accept=frozenset({404}))).status == 404


@pytest.mark.parametrize(
    ("method", "pause"), [("GET", timedelta()), ("POST", SLOW), ("PATCH", SLOW)]
)
async def test_what_may_yet_be_done_is_not_asked_for_again_at_once(
    method: str, pause: timedelta, server: Receiver, impatient: HttpClient
) -> None:
    server.answer = silence
    with pytest.raises(ReceiverUnavailable, match="no complete answer within 1 s") as caught:
        await impatient.ask(method, "x")
    assert caught.value.pause == pause


@pytest.mark.parametrize("status", ["401 Who", "403 No"])
async def test_a_token_that_is_refused_waits_for_a_person(
    status: str, server: Receiver, http: HttpClient
) -> None:
    server.says(status)
    with pytest.raises(ReceiverUnavailable, match="token") as caught:
        await http.ask("GET", "x")
    assert caught.value.pause == NO_RIGHT


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        ("17", 17, 17),
        ("999999999999", LONGEST_PATIENCE.total_seconds(), LONGEST_PATIENCE.total_seconds()),
        ("in five minutes", 200, 300),
        ("Tue, 17 Nov 2020 13:50:15 GMT", 0, 0),
        ("soon", 0, 0),
        ("Mon, 01 Jan 99999999999999 00:00:00 GMT", 0, 0),
        ("-5", 0, 0),
        ("²", 0, 0),
    ],
    ids=[
        "seconds",
        "for ever",
        "a date",
        "a date gone by",
        "a word",
        "a date beyond all dates",
        "less than nothing",
        "another digit",
    ],
)
async def test_the_patience_that_is_asked_for_is_granted_within_reason(
    asked: str, least: float, most: float, server: Receiver, http: HttpClient
) -> None:
    if asked == "in five minutes":
        asked = format_datetime(datetime.now(UTC) + timedelta(minutes=5))
    server.says("429 Slowly", b"", f"Retry-After: {asked}")
    with pytest.raises(ReceiverUnavailable) as caught:
        await http.ask("GET", "x")
    assert least <= caught.value.pause.total_seconds() <= most


@pytest.mark.parametrize("hours", [-3, 3])
async def test_a_date_to_wait_for_is_by_the_clock_of_the_server(
    hours: int, server: Receiver, http: HttpClient
) -> None:
    there = datetime.now(UTC) + timedelta(hours=hours)
    until = format_datetime(there + timedelta(minutes=5))
    server.says("429 Slowly", b"", f"Date: {format_datetime(there)}", f"Retry-After: {until}")
    with pytest.raises(ReceiverUnavailable) as caught:
        await http.ask("GET", "x")
    assert caught.value.pause == timedelta(minutes=5)


@pytest.mark.parametrize(
    "answer",
    [silence, drip, b"rubbish\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1", b""],
    ids=["silence", "drip", "rubbish", "half", "nothing"],
)
async def test_a_server_that_does_not_answer_is_tried_again(
    answer: bytes | Answer, server: Receiver, impatient: HttpClient
) -> None:
    server.answer = answer
    with pytest.raises(ReceiverUnavailable):
        await impatient.ask("GET", "x")


async def test_an_answer_without_end_is_not_read_to_it(server: Receiver, http: HttpClient) -> None:
    server.says("200 OK", b'"' + b"x" * (5 << 20) + b'"')
    with pytest.raises(ReceiverUnavailable, match="4 MB"):
        await http.ask("GET", "x")


async def test_every_request_waits_for_its_place(server: Receiver) -> None:
    waited: list[int] = []

    async def pace() -> None:
        waited.append(len(server.requests))

    http = HttpClient(f"http://127.0.0.1:{server.port}", {}, pace)
    for _ in range(3):
        await http.ask("GET", "x")
    await http.close()
    assert waited == [0, 1, 2]


async def test_a_secret_that_a_server_says_back_is_not_shown(server: Receiver) -> None:
    http = HttpClient(f"http://127.0.0.1:{server.port}", {}, secrets=["17/c0defeed"])
    server.says("404 Nowhere", b"Cannot POST /rest/17/c0defeed/batch, /rest/1/c0defeed")
    with pytest.raises(Refused) as caught:
        await http.ask("POST", "rest/17/c0defeed/batch")
    await http.close()
    assert "c0defeed" not in str(caught.value)


async def test_a_packed_answer_is_not_unpacked(server: Receiver, http: HttpClient) -> None:
    server.says(
        "200 OK", gzip.compress(gzip.compress(bytes(1 << 20))), "Content-Encoding: gzip, gzip"
    )
    with pytest.raises(ReceiverUnavailable, match="compressed"):
        await http.ask("GET", "x")


async def test_letters_that_no_database_keeps_are_replaced(
    server: Receiver, http: HttpClient
) -> None:
    server.says("200 OK", rb'{"a\u0000": ["\ud83d", 1, null]}')
    assert (await http.ask("GET", "x")).body == {"a\ufffd": ["\ufffd", 1, None]}


async def test_of_a_page_the_words_alone_are_kept(server: Receiver, http: HttpClient) -> None:
    head = b"<!doctype html>\n<html lang=en><title>404 Not Found</title><style>p {}</style>"
    page = head + b"<h1>Not Found</h1><p>No &lt;deal&gt;</p>"
    server.says("404 Nowhere", page, "Content-Type: text/html")
    with pytest.raises(Refused) as caught:
        await http.ask("GET", "x")
    assert str(caught.value) == "404 Not Found No <deal>"
