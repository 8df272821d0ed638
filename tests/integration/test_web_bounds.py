"""What one request may cost, where redirects lead, and what is sent compressed."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from router.domain.access import Scope
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
