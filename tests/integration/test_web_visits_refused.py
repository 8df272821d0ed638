"""What the visits' endpoints refuse: other sites, unknown visits, bodies that no script sends."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from router.domain.visitors.site import Site
from router.domain.visitors.visit import Visit, Visitor
from tests.support.web_world import ORIGIN, World, a_world

OPEN = "/api/v1/sites/shop/visits"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


@pytest.fixture
def page(world: World) -> httpx.AsyncClient:
    return world.browser(Origin=ORIGIN)


def page_opened(**more: Any) -> dict[str, Any]:
    return {"url": f"{ORIGIN}/?utm_source=ya", "pools": ["visitors"], "consent": True, **more}


async def everything(world: World, kind: type[Any]) -> list[Any]:
    async with world.store.read() as session:
        return await session.find(kind)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "https://shop.example.evil.example", "", "x" * 999]
)
async def test_pages_of_other_sites_get_nothing(
    world: World, page: httpx.AsyncClient, origin: str
) -> None:
    opened = (await page.post(OPEN, json=page_opened())).json()
    evil = world.browser(Origin=origin)
    paths = [OPEN, *(f"/api/v1/visits/{opened['visit_id']}/{verb}" for verb in VERBS)]
    for path in paths:
        for method in ("POST", "OPTIONS"):
            answer = await evil.request(method, path, json={} if method == "POST" else None)
            assert answer.status_code == 422
            assert "access-control-allow-origin" not in answer.headers


VERBS = ("numbers", "alive", "tap", "form", "left")


async def test_a_browser_that_asks_first_gets_what_it_may_send(page: httpx.AsyncClient) -> None:
    opened = (await page.post(OPEN, json=page_opened())).json()
    for path in (OPEN, *(f"/api/v1/visits/{opened['visit_id']}/{verb}" for verb in VERBS)):
        answer = await page.options(path)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, ORIGIN)


async def test_an_unknown_visit_or_site_is_not_found(page: httpx.AsyncClient) -> None:
    for place in ("sites/none/visits", *(f"visits/{'0' * 32}/{verb}" for verb in VERBS)):
        answer = await page.post(f"/api/v1/{place}", json={"number": "1", "phone": "1"})
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


async def test_a_visitor_of_another_site_is_a_stranger_here(
    world: World, page: httpx.AsyncClient
) -> None:
    now = world.clock.now
    async with world.store.write() as session:
        await session.add(
            Site(id="other", name="Other", created_at=now),
            Visitor(id="theirs", site_id="other", created_at=now),
        )
    for answer in (
        await page.post(OPEN, json=page_opened(visitor_id="theirs")),
        await world.browser(Origin=ORIGIN, Cookie="ringtrace_visitor=theirs").post(
            OPEN, json=page_opened()
        ),
    ):
        assert answer.status_code == 200
        assert answer.json()["visitor_id"] != "theirs"


async def test_what_cannot_be_kept_is_left_out_and_never_costs_the_number(
    world: World, page: httpx.AsyncClient
) -> None:
    opened = await page.post(
        OPEN,
        json=page_opened(
            url=f"{ORIGIN}/%00?utm_source=%3Cscript%3Ealert(1)%3C/script%3E&utm_campaign={'c' * 9000}&gclid=a%00b",  # noqa: E501
            referrer="http://[broken",
            visitor_id="<b>",
            ga_client_id="no identifier",
            parameters={f"p{i}": "v\0" * 100 for i in range(50)},
            pools=["visitors", "../etc", "x" * 100, *["visitors"] * 500],
            unheard="of",
        ),
    )
    assert opened.status_code == 200
    [visit], [visitor] = await everything(world, Visit), await everything(world, Visitor)
    assert visit.source == "<script>alert(1)</script>"  # text like any other; pages escape it
    assert len(visit.campaign) == 200
    assert len(visit.landing) <= 2000
    assert (len(visit.parameters), visitor.ga_client_id) == (20, None)
    assert "\0" not in json.dumps([visit.landing, visit.click_ids, visit.parameters])


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (r"cut \ud83d", "cut \ufffd"),
        (r"\uDE00 cut", "\ufffd cut"),
        (r"\ud83d\ud83d\ude00", "\ufffd\N{GRINNING FACE}"),
        (r"whole \uD83D\uDE00", "whole \N{GRINNING FACE}"),
    ],
)
async def test_half_a_letter_never_costs_the_number(
    world: World, page: httpx.AsyncClient, told: str, kept: str
) -> None:
    body = json.dumps(page_opened(url=ORIGIN, parameters={"note": "?"})).replace("?", told)
    opened = await page.post(OPEN, content=body)
    assert opened.status_code == 200, opened.text
    [visit] = await everything(world, Visit)
    assert visit.parameters == {"note": kept}


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"7",
        b"{",
        b'{"url": 7}',
        b'{"pools": "a"}',
        b"\xff\xfe",
        b'{"url": "\xff"}',
        b'{"consent": "?"}',
    ],
)
async def test_what_no_script_of_ours_sends_is_refused(
    page: httpx.AsyncClient, body: bytes
) -> None:
    answer = await page.post(OPEN, content=body)
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_input")


@pytest.mark.parametrize("size", [66_000, 10_000_000])
async def test_a_huge_body_is_refused(page: httpx.AsyncClient, size: int) -> None:
    answer = await page.post(OPEN, content=b'{"url": "' + b"x" * size + b'"}')
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")


async def test_one_address_cannot_empty_a_pool(
    world: World, page: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the minute does not turn
    monkeypatch.setattr(world.app.state.app_state.rate_limits.visits, "_clock", lambda: 0.0)
    for i in range(70):
        page.cookies.clear()
        assert (
            await page.post(OPEN, json=page_opened(visitor_id=f"invented{i}"))
        ).status_code == 200
    assert len(await everything(world, Visitor)) == 60
