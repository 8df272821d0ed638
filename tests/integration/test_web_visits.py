"""Visits as the script on a page asks and reports: over HTTP, from the site's own pages."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from router.domain.visitors.site import Pool, RefusedOrigin, Site, UnchangedPage
from router.domain.visitors.visit import Form, Tap, Visit, Visitor
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


async def test_a_page_opens_a_visit_and_gets_its_number(page: httpx.AsyncClient) -> None:
    answer = await page.post(OPEN, json=page_opened())
    opened = answer.json()
    assert answer.status_code == 200, answer.text
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-allow-credentials"] == "true"
    number = opened["numbers"]["visitors"]
    assert (number["level"], number["number"][:-1]) == ("dynamic", "+7495123456")
    assert number["display"].startswith("+7 495 123-45-6")
    assert (opened["alive_seconds"], opened["mail"], len(opened["code"])) == (20, None, 6)


async def test_signs_of_life_come_often_enough_for_a_number_that_is_asked_for_later(
    world: World, page: httpx.AsyncClient
) -> None:
    brief: dict[str, Any] = {
        "on_request": True,
        "hold_seconds": 40,
        "freeze_seconds": 20,
        "replaces": (),
    }
    async with world.store.write() as session:
        await session.add(replace(await session.get(Pool, "visitors"), id="brief", **brief))
    opened = (await page.post(OPEN, json=page_opened())).json()
    assert (opened["alive_seconds"], opened["hold_seconds"]) == (10, 40)


async def test_the_visitor_is_known_again_by_a_cookie_that_no_script_reads(
    page: httpx.AsyncClient,
) -> None:
    first = await page.post(OPEN, json=page_opened())
    cookie = first.headers["set-cookie"]
    parts = {"HttpOnly", "Secure", "SameSite=Lax", "Max-Age=34560000", "Path=/api/v1/sites/shop/"}
    assert parts <= set(cookie.split("; "))
    again = (await page.post(OPEN, json=page_opened(visitor_id="somebody-else"))).json()
    assert (again["visitor_id"], again["visit_id"]) == (
        first.json()["visitor_id"],
        first.json()["visit_id"],
    )


async def test_without_a_cookie_the_visitor_is_known_by_what_the_page_kept(
    page: httpx.AsyncClient,
) -> None:
    first = (await page.post(OPEN, json=page_opened())).json()
    page.cookies.clear()
    again = (await page.post(OPEN, json=page_opened(visitor_id=first["visitor_id"]))).json()
    assert again["visit_id"] == first["visit_id"]


async def test_over_plain_http_the_cookie_is_kept_too(world: World) -> None:
    answer = await world.browser(host="http://ringtrace.test", Origin=ORIGIN).post(
        OPEN, json=page_opened()
    )
    assert "Secure" not in answer.headers["set-cookie"]


async def test_without_consent_there_is_no_cookie(world: World, page: httpx.AsyncClient) -> None:
    async with world.store.write() as session:
        await session.change(replace(await session.get(Site, "shop"), consent=True))
    answer = await page.post(OPEN, json=page_opened(consent=False))
    assert "set-cookie" not in answer.headers
    assert (answer.json()["visitor_id"], answer.json()["numbers"]["visitors"]["level"]) == (
        None,
        "own",
    )
    assert await everything(world, Visitor) == []


async def test_the_page_stays_taps_leaves_a_phone_and_is_left(
    world: World, page: httpx.AsyncClient
) -> None:
    opened = (await page.post(OPEN, json=page_opened(pools=[]))).json()
    visit = f"/api/v1/visits/{opened['visit_id']}"
    given = (await page.post(f"{visit}/numbers", json={"pools": ["visitors"]})).json()["numbers"][
        "visitors"
    ]
    leases = {"leases": [given["lease_id"]]}
    world.clock.now += timedelta(seconds=20)
    alive = await page.post(
        f"{visit}/alive", json={**leases, "path": "/contacts", "ga_client_id": "5.6"}
    )
    assert alive.json() == {"numbers": {}}
    beacon = {"Content-Type": "text/plain;charset=UTF-8"}
    for verb, body in (
        ("tap", {"number": given["number"]}),
        ("form", {"phone": "8 916 123-45-67"}),
        ("left", leases),
    ):
        answer = await page.post(f"{visit}/{verb}", content=json.dumps(body), headers=beacon)
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert [tap.number for tap in await everything(world, Tap)] == [given["number"]]
    assert [form.phone for form in await everything(world, Form)] == ["+79161234567"]
    assert [visitor.ga_client_id for visitor in await everything(world, Visitor)] == ["5.6"]


@pytest.mark.parametrize(
    ("verb", "body", "kind"), [("tap", {}, Tap), ("form", {"phone": "8 916 123-45-67"}, Form)]
)
async def test_what_a_page_sends_twice_under_one_key_is_stored_once(
    world: World, page: httpx.AsyncClient, verb: str, body: dict[str, str], kind: type
) -> None:
    opened = (await page.post(OPEN, json=page_opened())).json()
    number = {"number": opened["numbers"]["visitors"]["number"]}
    for key in ("k1", "k1", "k2", "", "no key", None):
        body = number | body | ({} if key is None else {"key": key})
        answer = await page.post(f"/api/v1/visits/{opened['visit_id']}/{verb}", json=body)
        assert answer.status_code == 204
    assert len(await everything(world, kind)) == 5


async def test_when_numbers_run_out_pages_keep_their_own(page: httpx.AsyncClient) -> None:
    levels = []
    for _ in range(3):
        page.cookies.clear()
        levels.append((await page.post(OPEN, json=page_opened())).json()["numbers"]["visitors"])
    assert [level["level"] for level in levels] == ["dynamic", "dynamic", "own"]
    assert levels[2] == {
        "lease_id": None,
        "number": None,
        "display": None,
        "parts": None,
        "level": "own",
    }


async def test_the_visitors_mail_address_carries_the_code(
    world: World, page: httpx.AsyncClient
) -> None:
    async with world.store.write() as session:
        await session.change(replace(await session.get(Site, "shop"), mail="info@shop.example"))
    opened = (await page.post(OPEN, json=page_opened())).json()
    assert opened["mail"] == f"info+{opened['code']}@shop.example"


async def test_a_page_that_adds_headers_of_its_own_may_send_them(page: httpx.AsyncClient) -> None:
    for path in (OPEN, "/site/shop.js"):
        for asked, allowed in (
            ("content-type,x-csrf-token", "content-type,x-csrf-token"),
            ("x\ty", "content-type"),
        ):
            answer = await page.options(path, headers={"Access-Control-Request-Headers": asked})
            assert (answer.status_code, answer.headers["access-control-allow-headers"]) == (
                204,
                allowed,
            )


async def test_who_withdraws_consent_is_forgotten_by_the_browser_and_begins_no_visit(
    world: World, page: httpx.AsyncClient
) -> None:
    await page.post(OPEN, json=page_opened())
    answer = await page.post(OPEN, json=page_opened(consent=False, withdrawn=True))
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert (answer.json()["visit_id"], len(await everything(world, Visit))) == (None, 1)
    assert (
        "cookie"
        not in (
            await page.post(OPEN, json=page_opened(consent=False, withdrawn=True))
        ).request.headers
    )


async def test_pages_where_the_number_stays_are_counted_for_doctor(
    world: World, page: httpx.AsyncClient
) -> None:
    visit = (await page.post(OPEN, json=page_opened())).json()["visit_id"]
    body = {"leases": [], "unchanged": "/contacts?a=b#c"}
    assert (await page.post(f"/api/v1/visits/{visit}/alive", json=body)).status_code == 200
    [unchanged] = await everything(world, UnchangedPage)
    assert (unchanged.site_id, unchanged.path, unchanged.count) == ("shop", "/contacts", 1)


async def test_pages_that_the_site_does_not_list_are_counted_for_doctor(
    world: World, page: httpx.AsyncClient
) -> None:
    other = {"Origin": "https://www.shop.example"}
    for _ in range(3):
        assert (await page.post(OPEN, json=page_opened(), headers=other)).status_code == 422
    world.clock.now += timedelta(minutes=2)
    await page.options(OPEN, headers=other)
    [refused] = await everything(world, RefusedOrigin)
    assert (refused.site_id, refused.origin, refused.count, refused.last_at) == (
        "shop", "https://www.shop.example", 4, world.clock.now,
    )  # fmt: skip
