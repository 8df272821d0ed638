"""The script where a number is leased on request: its button pressed, hovered or looked at."""

import asyncio

import pytest

from tests.acceptance.script_visitor import Visitor
from tests.acceptance.script_world import Company, a_pool

pytestmark = pytest.mark.acceptance


async def on_request(company: Company, visitor: Visitor) -> None:
    company.pools = [a_pool(on_request=True)]
    await visitor.opens(
        "<button data-ringtrace-show>Показать номер</button><div style='height:2000px'></div>"
        "<p>8 495 <b>123-45-67</b></p><a href='tel:84951234567'>☎</a>"
    )
    assert (await visitor.heard("visits"))[0]["pools"] == []


async def test_on_request_a_number_is_leased_when_its_button_is_pressed(
    company: Company, visitor: Visitor
) -> None:
    await on_request(company, visitor)
    assert await visitor.text("p") == "8 495 123-45-67"
    await visitor.page.click("button")
    await visitor.shows("8 495 777-00-01", "p")
    assert company.said("numbers") == [{"pools": ["visitors"]}]


async def test_on_request_a_number_is_leased_when_it_is_hovered(
    company: Company, visitor: Visitor
) -> None:
    await on_request(company, visitor)
    await visitor.page.hover("a")
    await visitor.shows("8 495 777-00-01", "p")
    await visitor.gives("document.querySelector('a').getAttribute('href')", "tel:84957770001")


async def test_on_request_a_number_is_leased_when_it_is_looked_at(
    company: Company, visitor: Visitor
) -> None:
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    await visitor.page.clock.install()
    await on_request(company, visitor)
    await visitor.until("window.ringtrace?.visit")  # the page's clock must not outrun the answer
    await visitor.page.clock.run_for(8_000)
    begun = await visitor.page.evaluate("document.querySelector('p').scrollIntoView(), Date.now()")
    assert "visits" in asked
    assert "numbers" not in asked  # far below the fold
    async with asyncio.timeout(180):
        while not company.said("numbers"):
            await visitor.page.clock.run_for(200)
    assert await visitor.page.evaluate("Date.now()") - begun > 4_900
    await visitor.shows("8 495 777-00-01", "p")
