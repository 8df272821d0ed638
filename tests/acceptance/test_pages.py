"""Every page in a real browser, whatever the reader's language and the width of their screen."""

import pytest
from playwright.async_api import Browser, expect

from tests.acceptance.supervisor import heard, log_in, looking
from tests.web_world import World, furnish

pytestmark = pytest.mark.acceptance
pytest_plugins = ["tests.acceptance.supervisor"]


async def test_the_language_changes_and_stays(world: World, browser: Browser) -> None:
    await furnish(world)
    async with looking(world, browser, locale="ru-RU") as seen:
        page = seen.page
        await expect(page.get_by_role("heading", name="Войти")).to_be_visible()
        await log_in(seen)
        await expect(page.get_by_role("heading", name="Звонки")).to_be_visible()
        await expect(page.locator("#rows tr").first).to_contain_text("14:25")  # Moscow's time
        await page.get_by_role("button", name="English").click()
        await expect(page.get_by_role("heading", name="Calls", exact=True)).to_be_visible()
        await page.get_by_role("link", name="+7 916 123-45-67").first.click()
        await expect(page.get_by_text("The visitor was on the site when they called")).to_be_visible()


@pytest.mark.parametrize("width", [360, 390, 768, 1280])
async def test_nothing_sticks_out_at_any_width(world: World, browser: Browser, sound: bytes, width: int) -> None:
    calls = await furnish(world, heard(world, sound))
    async with looking(world, browser, width=width, locale="ru-RU") as seen:
        await log_in(seen, "root")
        for path in ("/calls", "/calls?ending=cut", "/deliveries", *(f"/calls/{call.id}" for call in calls.values())):
            await seen.page.goto(seen.address + path)
            beyond = await seen.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert beyond <= 0, path
