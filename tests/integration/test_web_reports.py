"""The pages of pools and of reliability as a browser fetches them, and what programs set up of
sites and pools.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from router.domain.access import Scope
from router.domain.attribution.terms import Candidate
from router.domain.visitors.lease import Lease
from router.domain.visitors.site import Pool
from router.domain.visitors.visit import DisplayLevel, Fallback, Reason, Tap, Visit, Visitor
from tests.support.web_calls import HOSTILE, a_call
from tests.support.web_world import World, a_world

RU = {"Accept-Language": "ru"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


async def busy_week(world: World) -> None:
    """300 visits over ten days; both numbers leased for half an hour yesterday at nine, and one
    visitor without.
    """
    now = world.clock.now
    nine = (now - timedelta(days=1)).replace(hour=9, minute=0)
    frozen, over = nine + timedelta(minutes=5), nine + timedelta(minutes=30)
    visits = [
        Visit(
            id=f"v{i}", visitor_id="anna", started_at=now - timedelta(days=i % 10, minutes=i + 60)
        )
        for i in range(300)
    ]
    async with world.store.write() as session:
        await session.add(Visitor(id="anna", site_id="shop", created_at=now), *visits)
        for last in (0, 1):
            await session.add(
                Lease(
                    id=f"l{last}", number=f"+7495123456{last}", pool_id="visitors", visitor_id="anna",  # noqa: E501
                    visit_id=f"v{last}", started_at=nine, seen_at=frozen, frozen_at=frozen, ends_at=over,  # noqa: E501
                )
            )  # fmt: skip
        await session.add(
            Fallback(
                id="s",
                visit_id="v2",
                pool_id="visitors",
                level=DisplayLevel.STATIC,
                reason=Reason.EMPTY,
                number=None,
                at=nine,
            )
        )


@pytest.mark.parametrize("path", ["/pools", "/pools/visitors", "/reliability"])
async def test_reports_are_for_who_is_logged_in(world: World, path: str) -> None:
    assert (await world.browser().get(path)).status_code == 303
    assert (await (await world.person("anna")).get(path)).status_code == 200


async def test_a_pool_says_how_it_did_what_it_needs_and_that_it_ran_dry(world: World) -> None:
    await busy_week(world)
    page = (await (await world.person("anna")).get("/pools/visitors")).text
    assert "This pool ran out of numbers" in page
    assert re.search(r"Numbers</dt><dd>2<", page)
    assert re.search(r"Dynamic number</th><td>2</td><td>66\.7%", page)
    assert "all numbers were in use" in page
    assert "300 visits in 10 days" in page
    assert page.count("<rect") == 48  # mean and most for each hour of the day
    # one day in seven, both numbers
    assert re.search(r'<tr><th scope="row">9</th><td>0\.3</td><td>2</td></tr>', page)
    for hold in ("15 minutes", "30 minutes", "1 hour", "1 day"):
        assert f">{hold}" in page


async def test_hours_of_the_day_are_the_readers(world: World) -> None:
    await busy_week(world)
    client = await world.person("anna")
    client.cookies.set("ringtrace_zone", "Europe/Moscow")
    page = (await client.get("/pools/visitors")).text
    assert re.search(r'<th scope="row">12</th><td>0\.3</td><td>2</td>', page)


async def test_a_pool_without_visits_says_so_instead_of_a_plan(world: World) -> None:
    page = (await (await world.person("anna")).get("/pools/visitors")).text
    assert "No visits yet" in page
    assert "A number for every visitor" not in page


async def test_what_an_administrator_wrote_stays_text_on_the_page(world: World) -> None:
    async with world.store.write() as session:
        pool = await session.get(Pool, "visitors")
        await session.change(replace(pool, name=HOSTILE, selector="<img src=x>", regions=("<b>",)))
    page = (await (await world.person("anna")).get("/pools/visitors")).text
    assert "<img src=x>" not in page
    assert "<script>alert" not in page


async def known_calls(world: World, count: int, share_right: float) -> None:
    """Calls just after a tap of Anna's, to whom we gave 80 % of each that is right."""
    now = world.clock.now
    async with world.store.write() as session:
        await session.add(Visitor(id="anna", site_id="shop", created_at=now))
        await session.add(Visit(id="v", visitor_id="anna", started_at=now - timedelta(days=9)))
        calls = []
        for i in range(count):
            at, who = now - timedelta(hours=i + 1), "anna" if i < count * share_right else "boris"
            candidate = Candidate(lease_id=None, visitor_id=who, visit_id="v", probability=0.85)
            calls.append(a_call(str(i), at, candidates=(candidate,)))
            await session.add(
                Tap(id=str(i), visit_id="v", number="+74951234560", at=at - timedelta(seconds=30))
            )
        await session.calls.save(calls)


async def test_the_reliability_chart_shows_what_was_right_of_what_was_given(world: World) -> None:
    await known_calls(world, 100, 0.75)
    page = (await (await world.person("anna")).get("/reliability")).text
    assert re.search(r"80–90%</th><td>85%</td><td>75%</td><td>66–82%</td><td>100</td>", page)
    assert re.search(r"Expected calibration error</dt><dd>10%", page)
    assert page.count("<circle") == 1 + page[: page.index('<svg class="chart')].count("<circle")
    assert "tapped the number within 2 minutes before the call: 100" in page


async def test_too_few_known_calls_are_said_and_give_no_error(world: World) -> None:
    await known_calls(world, 10, 1)
    page = (await (await world.person("anna")).get("/reliability")).text
    assert "Only 10 such calls" in page
    assert "Expected calibration error" not in page


async def test_reliability_is_shown_for_the_site_and_days_asked_for(world: World) -> None:
    await known_calls(world, 100, 0.75)
    client = await world.person("anna")
    assert "Only 0 such calls" in (await client.get("/reliability?site=other")).text
    day = (world.clock.now - timedelta(days=2)).date()
    assert "Only 24 such calls" in (await client.get(f"/reliability?since={day}&until={day}")).text
    assert (await client.get("/reliability?since=x&until=9999-99-99&site=%00")).status_code == 200


@pytest.mark.parametrize("path", ["/pools", "/pools/visitors", "/reliability"])
async def test_reports_speak_russian(world: World, path: str) -> None:
    await busy_week(world)
    client = await world.person("anna")
    page = (await client.get(path, headers=RU)).text
    assert "Пулы номеров" in page
    assert not re.search(r"%\(\w+\)s", page)


# what programs set up


async def test_a_pools_own_numbers_are_read_as_its_sites_country_writes_them(world: World) -> None:
    write = world.program(Scope.CONFIG_WRITE)
    pool = {"id": "second", "site_id": "shop", "name": "Second", "replaces": ["8 (495) 123-45-67", "+7 495 1234567"],  # noqa: E501
            "on_request": True, "regions": ["Moscow"], "leases_per_hour": 40, "selector": ".phone"}  # fmt: skip  # noqa: E501
    added = await write.post("/api/v1/pools", json=pool)
    assert added.status_code == 201, added.text
    assert added.json()["replaces"] == ["+74951234567"]
    changed = await write.put(
        "/api/v1/pools/second", json={"name": "S", "replaces": ["8 800 555-35-35"]}
    )
    assert (changed.json()["replaces"], changed.json()["on_request"]) == (["+78005553535"], False)
    refused = await write.put("/api/v1/pools/second", json={"name": "S", "replaces": ["call us"]})
    assert (refused.status_code, refused.json()["error"]) == (422, "invalid_input")
    assert "call us" in refused.json()["message"]


async def test_a_sites_rules_and_certainty_are_set_and_checked(world: World) -> None:
    write = world.program(Scope.CONFIG_WRITE)
    site = {"name": "Shop", "consent": True, "certainty": 0.6, "exclude": ".no", "contacts": "/contacts",  # noqa: E501
            "source_rules": [{"field": "source", "text": "avito", "channel": "Classifieds"}],
            "errand_hosts": ["pay.example.com"],
            "mail": "info@shop.example"}  # fmt: skip
    changed = await write.put("/api/v1/sites/shop", json=site)
    assert changed.status_code == 200, changed.text
    assert {name: changed.json()[name] for name in site} == site
    for wrong in (
        {"certainty": 1.5},
        {"source_rules": [{"field": "weather", "text": "a", "channel": "b"}]},
        {"errand_hosts": ["https://pay.example.com/"]},
    ):
        assert (await write.put("/api/v1/sites/shop", json=site | wrong)).status_code == 422, wrong
