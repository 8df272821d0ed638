"""All tabs of a browser share one stream of events, and go on when the tab that holds it is
closed.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from router.web.ticks import Tick, Ticks
from tests.acceptance.firefox import DEBIAN, FIREFOX, firefox
from tests.acceptance.supervisor import log_in, looking
from tests.support.web_calls import a_call, ringing
from tests.support.web_world import PASSWORD, World, served

pytestmark = pytest.mark.acceptance
pytest_plugins = ["tests.acceptance.supervisor"]
ROWS = "document.querySelectorAll('#rows tr').length === {}"


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch) -> list[Ticks]:
    """Grows with each stream that a browser opens."""
    follow, opened = Ticks.follow, list[Ticks]()

    def counted(ticks: Ticks) -> AsyncIterator[Tick]:
        opened.append(ticks)
        return follow(ticks)

    monkeypatch.setattr(Ticks, "follow", counted)
    return opened


async def test_two_tabs_of_chromium_share_a_stream_that_survives_the_first_tab(
    world: World, browser: Browser, streams: list[Ticks]
) -> None:
    async with looking(world, browser) as seen:
        await log_in(seen)
        first, second = seen.page, await seen.page.context.new_page()
        await second.goto(f"{seen.address}/calls")
        await second.evaluate("window.sameDocument = true")
        await world.save(ringing("1", world.clock.now))
        for page in (first, second):
            await page.bring_to_front()
            await expect(page.locator("#rows tr")).to_have_count(1)
        assert len(streams) == 1

        await first.close()
        await second.bring_to_front()
        await world.save(a_call("1", world.clock.now), ringing("2", world.clock.now))
        await expect(second.locator("#rows tr")).to_have_count(2)
        await expect(second.locator("#rows")).to_contain_text("Answered")
        assert len(streams) == 2
        assert await second.evaluate("window.sameDocument") is True


@pytest.mark.skipif(not (FIREFOX or DEBIAN), reason="Ubuntu's is a snap")
async def test_two_tabs_of_firefox_share_a_stream_that_survives_the_first_tab(
    world: World, tmp_path: Path, streams: list[Ticks]
) -> None:
    profile = tmp_path / "firefox"
    profile.mkdir()
    async with served(world.app) as address, firefox(profile) as page:
        await page.goto(f"{address}/login")
        await page.evaluate(
            f"""document.querySelector('[name=login]').value = 'anna';
                document.querySelector('[name=password]').value = '{PASSWORD}';
                document.querySelector('[name=password]').form.requestSubmit()"""
        )
        await page.until("location.pathname === '/calls' && document.readyState === 'complete'")
        first = page.tab
        second = (await page.ask("browsingContext.create", type="tab"))["context"]
        page.tab = second
        await page.goto(f"{address}/calls")
        await world.save(ringing("1", world.clock.now))
        for tab in (first, second):
            await page.ask("browsingContext.activate", context=tab)
            page.tab = tab
            await page.until(ROWS.format(1))
        assert len(streams) == 1

        await page.ask("browsingContext.close", context=first)
        await page.ask("browsingContext.activate", context=second)
        await world.save(a_call("1", world.clock.now), ringing("2", world.clock.now))
        await page.until(ROWS.format(2))
        await page.until("document.querySelector('#rows').textContent.includes('Answered')")
        assert len(streams) == 2
