"""The script on a company's page and the real server behind it: from the line on the page to the
lease ledger.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from router.domain.visitors.lease import TURN, Lease
from router.domain.visitors.site import Pool, Site
from router.domain.visitors.visit import Tap, Visit
from tests.acceptance.script_visitor import visiting
from tests.acceptance.script_world import OWN, Company
from tests.support.web_world import World, a_world, served

pytestmark = pytest.mark.acceptance


@pytest_asyncio.fixture(loop_scope="session")
async def shop(tmp_path: Path, company: Company) -> AsyncIterator[tuple[World, str]]:
    """A real Ringtrace that knows the company's pages, and its address."""
    async with a_world(tmp_path) as world, served(world.app) as address:
        async with world.store.write() as session:
            site, pool = await session.get(Site, "shop"), await session.get(Pool, "visitors")
            await session.change(
                replace(site, origins=(company.address,)), replace(pool, replaces=(OWN,))
            )
        yield world, address


async def test_two_visitors_see_two_numbers_and_what_they_do_is_stored(
    company: Company, browser: Browser, shop: tuple[World, str]
) -> None:
    world, address = shop
    line = f'<script async src="{address}/site/shop.js"></script>'
    body = "<a href='tel:+74951234567' onclick='event.preventDefault()'>8 (495) 123-45-67</a>"
    async with visiting(company, browser) as first, visiting(company, browser) as second:
        shown = []
        for visitor, source in ((first, "google"), (second, "yandex")):
            await visitor.opens(body, query=f"?utm_source={source}&utm_medium=cpc", line=line)
            await visitor.until(
                "document.body.textContent !== '8 (495) 123-45-67' && ringtrace.visit !== ''"
            )
            shown.append(await visitor.text())
        assert sorted(shown) == ["8 (495) 123-45-60", "8 (495) 123-45-61"]
        visits = [
            await visitor.page.evaluate("window.ringtrace.visit") for visitor in (first, second)
        ]
        await second.page.click("a")
        await second.page.goto(company.page("<p>Другая страница</p>", path="/other", line=""))
        cookies = await first.page.context.cookies(f"{address}/api/v1/sites/shop/visits")
        assert [(cookie["name"], cookie["httpOnly"]) for cookie in cookies] == [
            ("ringtrace_visitor", True)
        ]
        async with asyncio.timeout(180):
            while not (seen := await tapped_and_left(world)):
                await asyncio.sleep(0.05)
    leases, taps = seen
    by_visit = {lease.visit_id: lease.number for lease in leases}
    assert [by_visit[visit][-2:] for visit in visits] == [text[-2:] for text in shown]
    assert [(tap.visit_id, tap.number) for tap in taps] == [(visits[1], by_visit[visits[1]])]
    async with world.store.read() as session:
        sources = [await session.get(Visit, visit) for visit in visits]
    assert [(visit.source, visit.medium) for visit in sources] == [
        ("google", "cpc"),
        ("yandex", "cpc"),
    ]


async def tapped_and_left(world: World) -> tuple[list[Lease], list[Tap]] | None:
    """The leases and the taps, once a visitor has tapped and left."""
    async with world.store.read() as session:
        leases, taps = await session.leases.find(), await session.find(Tap)
    left = any(lease.frozen_at <= world.clock.now + TURN for lease in leases)
    return (leases, taps) if taps and left else None


async def test_the_script_is_public_packed_and_cannot_be_broken_out_of(
    shop: tuple[World, str],
) -> None:
    world, _ = shop
    async with world.store.write() as session:
        await session.change(
            replace(await session.get(Site, "shop"), exclude="</script><!-- \u2028'\"")
        )
    async with world.browser() as browser:
        answer = await browser.get("/site/shop.js")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert answer.headers["content-encoding"] == "gzip"
        assert "</script" not in answer.text
        assert "\u2028" not in answer.text
        spelled = '{"country":"7","leads":["8"],"national":"4951234567","old":[]}'
        assert f'"replaces":[{spelled}]' in answer.text
        etag = answer.headers["etag"]
        again = await browser.get("/site/shop.js", headers={"If-None-Match": f'"x", W/{etag}'})
        assert (again.status_code, again.content) == (304, b"")
        assert (await browser.get("/site/nobody.js")).status_code == 404
