"""What one request may cost, where redirects lead, and what is sent compressed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.types import Message, Receive, Send
from starlette.types import Scope as AsgiScope
from structlog.testing import capture_logs

from router.domain.access import Scope
from router.web.middleware import StopsWhenAbandoned
from tests.support.web_calls import furnish
from tests.support.web_world import World, a_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


@pytest.mark.parametrize("path", ["/calls/", "/static", "/login/", "/api/v1/calls/"])
async def test_no_path_redirects_to_the_host_that_a_request_names(world: World, path: str) -> None:
    answer = await world.browser(host="https://evil.example").get(path)
    assert "evil.example" not in answer.headers.get("location", "")


@pytest.mark.parametrize("letter", [b"&", b"%25"])
async def test_a_large_form_is_refused_before_it_is_read(world: World, letter: bytes) -> None:
    headers = {
        "Origin": "https://ringtrace.test",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    answer = await world.browser(**headers).post("/login", content=letter * 300_000)
    assert answer.status_code == 413


async def test_others_are_answered_while_a_large_import_is_read(world: World) -> None:
    lines = "\n".join(f"+7495{place:07},visitors" for place in range(15_000))
    answered: list[int] = []

    async def ask() -> None:
        while True:
            answered.append((await world.browser().get("/healthz")).status_code)

    asking = asyncio.create_task(ask())
    answer = await world.program(Scope.CONFIG_WRITE).post(
        "/api/v1/numbers/import",
        params={"site_id": "shop"},
        content=f"number,pool\n{lines}\n+7495,visitors",
    )
    asking.cancel()
    assert answer.status_code == 200
    assert len(answer.json()["bad"]) >= 1
    assert len(answered) > 5


async def test_an_import_has_a_limit_of_lines(world: World) -> None:
    lines = "x\n" * 20_001
    answer = await world.program(Scope.CONFIG_WRITE).post(
        "/api/v1/numbers/import", params={"site_id": "shop"}, content=f"number\n{lines}"
    )
    assert answer.status_code == 422
    assert "20000 lines" in answer.json()["message"]


async def test_pages_are_compressed_and_recordings_are_not(world: World) -> None:
    calls = await furnish(world)
    client = await world.person("anna")
    assert (await client.get("/calls")).headers["content-encoding"] == "gzip"
    recording = await client.get(f"/api/v1/calls/{calls['attributed'].id}/recording")
    assert recording.status_code == 200
    assert "content-encoding" not in recording.headers


@pytest.mark.parametrize(
    ("url", "cached"),
    [("", "private, max-age=300"), ("https://calls.example", "public, max-age=300")],
)
async def test_a_script_that_names_the_host_of_its_request_is_kept_by_no_shared_cache(
    world: World, url: str, cached: str
) -> None:
    state = world.app.state.app_state
    world.app.state.app_state = replace(state, web=replace(state.web, url=url))
    answer = await world.browser(host="https://evil.example").get("/site/shop.js")
    assert ("evil.example" in answer.text) is (url == "")
    assert answer.headers["cache-control"] == cached


@pytest.mark.parametrize("path", ["/login", "/api/v1/sites/shop/visits", "/api/v1/calls/bulk"])
async def test_a_client_that_leaves_in_the_middle_of_its_body_writes_no_line(
    world: World, path: str
) -> None:
    """Strangers can do so at any rate, and a traceback has 6 kB."""
    messages = iter(
        [
            {"type": "http.request", "body": b"{", "more_body": True},
            {"type": "http.disconnect"},
        ]
    )

    async def receive() -> Message:
        return next(messages)

    async def send(_: Message) -> None:
        """It is not read."""

    headers = [
        (b"host", b"ringtrace.test"),
        (b"origin", b"https://ringtrace.test"),
        (b"content-type", b"application/x-www-form-urlencoded"),
        (b"content-length", b"50"),
    ]
    if path.startswith("/api/"):
        headers[1:3] = [
            (b"origin", b"https://shop.example"),
            (b"authorization", f"Bearer {world.tokens[Scope.CALLS_WRITE]}".encode()),
            (b"content-type", b"application/json"),
        ]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 50_000),
    }
    with capture_logs() as lines:
        await world.app(scope, receive, send)
    assert lines == []


@pytest.mark.parametrize("leaves", [True, False])
async def test_what_a_stream_raises_when_it_is_cancelled_is_no_fault(leaves: bool) -> None:
    broken = asyncio.Event()

    async def stream(_scope: AsgiScope, _receive: Receive, _send: Send) -> None:
        try:
            await broken.wait()
        finally:
            raise ExceptionGroup("while it sends", [OSError()])

    async def receive() -> Message:
        if leaves:
            return {"type": "http.disconnect"}
        broken.set()
        return await asyncio.Event().wait()  # type: ignore[return-value]

    async def send(_: Message) -> None:
        """It is not read."""

    asked = StopsWhenAbandoned(stream)({"type": "http", "method": "GET"}, receive, send)
    if leaves:
        await asked
    else:
        with pytest.raises(ExceptionGroup):
            await asked
