"""Leases as visitors' browsers ask for them, from the company's own pages and from others'."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from router.domain.access import Scope
from tests.support.web_world import ORIGIN, World, a_world

ASK = "/api/v1/sites/shop/pools/visitors/leases"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


async def test_a_page_of_the_site_leases_a_number_without_cookies(world: World) -> None:
    page = world.browser(Origin=ORIGIN)
    arrival = {
        "ga_client_id": "1.2",
        "source": "google",
        "click_ids": {"gclid": "abc"},
        "landing": f"{ORIGIN}/?gclid=abc",
    }
    answer = await page.post(ASK, json=arrival)
    leased = answer.json()
    assert answer.status_code == 200, answer.text
    assert leased["number"] in {"+74951234560", "+74951234561"}
    assert leased["number_display"].startswith("+7 495 123-45-6")
    assert leased["alive_within_seconds"] == 300
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["vary"] == "Origin"
    assert "set-cookie" not in answer.headers
    assert "access-control-allow-credentials" not in answer.headers


async def test_a_visitor_who_is_known_keeps_the_number(world: World) -> None:
    page = world.browser(Origin=ORIGIN)
    first = (await page.post(ASK, json={})).json()
    again = (await page.post(ASK, json={"visitor_id": first["visitor_id"]})).json()
    assert (again["id"], again["number"]) == (first["id"], first["number"])


async def test_a_page_may_send_its_json_as_plain_text(world: World) -> None:
    content = json.dumps({"source": "yandex"})
    answer = await world.browser(Origin=ORIGIN).post(
        ASK, content=content, headers={"Content-Type": "text/plain"}
    )
    assert answer.status_code == 200


async def test_when_none_is_left_the_page_learns_it(world: World) -> None:
    page = world.browser(Origin=ORIGIN)
    numbers = {(await page.post(ASK, json={})).json()["number"] for _ in range(2)}
    answer = await page.post(ASK, json={})
    assert len(numbers) == 2
    assert (answer.status_code, answer.json()["error"]) == (409, "numbers_exhausted")
    assert answer.headers["access-control-allow-origin"] == ORIGIN  # or the page could not read it


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "https://shop.example.evil.example"]
)
async def test_pages_of_other_sites_get_nothing(world: World, origin: str) -> None:
    for verb, path in (("POST", ASK), ("OPTIONS", ASK)):
        answer = await world.browser(Origin=origin).request(verb, path)
        assert answer.status_code == 422
        assert "access-control-allow-origin" not in answer.headers


async def test_a_browser_that_asks_first_gets_what_it_may_send(world: World) -> None:
    page = world.browser(Origin=ORIGIN, **{"Access-Control-Request-Method": "POST"})
    leased = (await page.post(ASK, json={})).json()
    for path in (
        ASK,
        f"/api/v1/leases/{leased['id']}/alive",
        f"/api/v1/leases/{leased['id']}/left",
    ):
        answer = await page.options(path)
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert answer.headers["access-control-allow-headers"] == "content-type"


async def test_signs_of_life_prolong_the_lease_and_leaving_freezes_it(world: World) -> None:
    page = world.browser(Origin=ORIGIN)
    leased = (await page.post(ASK, json={})).json()
    world.clock.now += timedelta(seconds=200)
    alive = (await page.post(f"/api/v1/leases/{leased['id']}/alive")).json()
    assert (alive["id"], alive["alive_within_seconds"]) == (leased["id"], 300)
    assert alive["ends_at"] > leased["ends_at"]
    beacon = {"Content-Type": "text/plain;charset=UTF-8"}
    left = await page.post(f"/api/v1/leases/{leased['id']}/left", content="bye", headers=beacon)
    assert (left.status_code, left.content) == (204, b"")
    ledger = (
        await world.program(Scope.CALLS_READ).get(
            f"/api/v1/leases?visitor_id={leased['visitor_id']}"
        )
    ).json()
    frozen = world.clock.now + timedelta(seconds=30)  # unless a next page opens
    assert [lease["frozen_at"] for lease in ledger] == [frozen.isoformat().replace("+00:00", "Z")]


async def test_other_sites_cannot_speak_of_a_lease(world: World) -> None:
    leased = (await world.browser(Origin=ORIGIN).post(ASK, json={})).json()
    for verb in ("alive", "left"):
        answer = await world.browser(Origin="https://evil.example").post(
            f"/api/v1/leases/{leased['id']}/{verb}"
        )
        assert answer.status_code == 422
        assert (
            await world.browser(Origin=ORIGIN).post(f"/api/v1/leases/none/{verb}")
        ).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"visitor_id": "x" * 65},
        {"ga_client_id": "<script>"},
        {"source": "s" * 201},
        {"landing": "l" * 2001},
        {"click_ids": {f"id{i}": "v" for i in range(11)}},
        {"click_ids": {"bad key": "v"}},
        {"unheard": "of"},
        {"visitor_id": 7},
        [],
    ],
)
async def test_an_arrival_that_is_too_much_is_refused(world: World, body: object) -> None:
    answer = await world.browser(Origin=ORIGIN).post(ASK, json=body)
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_input")


async def test_a_pool_of_another_site_is_not_found(world: World) -> None:
    await world.program(Scope.CONFIG_WRITE).post(
        "/api/v1/sites", json={"id": "other", "name": "x", "origins": [ORIGIN]}
    )
    answer = await world.browser(Origin=ORIGIN).post(
        "/api/v1/sites/other/pools/visitors/leases", json={}
    )
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


async def test_one_address_cannot_empty_a_pool(world: World) -> None:
    page = world.browser(Origin=ORIGIN)
    answers = [(await page.post(ASK, json={})).status_code for _ in range(61)]
    assert answers[:2] == [200, 200]
    assert (answers[59], answers[60]) == (409, 429)
