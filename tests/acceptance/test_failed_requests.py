"""Requests that fail in a real browser: the page says so, and the console stays empty."""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.acceptance.script_visitor import close, new_context
from tests.acceptance.supervisor import Seen, filter_by_outcome, log_in, until
from tests.acceptance.test_list_place import fill
from tests.support.web_calls import furnish
from tests.support.web_world import World, served

pytestmark = pytest.mark.acceptance
pytest_plugins = ["tests.acceptance.supervisor"]
BROWSERS_OWN = "Failed to load resource"  # Chromium's, of any answer that is an error


def listen(page: Page) -> list[str]:
    """What is written into the console, but for the browser's own lines."""
    said: list[str] = []
    page.on("console", lambda m: None if m.text.startswith(BROWSERS_OWN) else said.append(m.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


async def test_a_list_left_open_after_the_log_out_asks_to_log_in_and_shows_no_error(
    world: World, browser: Browser
) -> None:
    await furnish(world)
    async with served(world.app) as address:
        context = await new_context(browser)
        one, other = await context.new_page(), await context.new_page()
        said = listen(one)
        await one.goto(f"{address}/login")
        await log_in(Seen(one, address))
        await other.goto(f"{address}/calls")
        await other.get_by_role("button", name="Log out").click()
        await one.wait_for_url("**/login**", wait_until="commit")
        await close(context)
    assert said == []


async def test_a_refusal_and_a_lost_connection_are_shown_and_not_logged(
    world: World, browser: Browser
) -> None:
    await fill(world)
    call = (await furnish(world))["attributed"]
    async with served(world.app) as address:
        context = await new_context(browser)
        page = await context.new_page()
        said = listen(page)
        await page.goto(f"{address}/login")
        await log_in(Seen(page, address))
        await page.goto(f"{address}/calls/{call.id}")
        await page.get_by_label("New tag").fill("price/discount")
        await page.keyboard.press("Enter")
        await expect(page.locator("form p[role=alert]")).to_be_visible()
        await page.goto(f"{address}/calls")
        await page.route("**/calls?*", lambda route: route.abort("internetdisconnected"))
        await filter_by_outcome(page, "answered")
        await expect(page.locator("#lost")).to_be_visible()
        await page.unroute("**/calls?*")
        await filter_by_outcome(page, "busy")
        await expect(page.locator("#lost")).to_be_hidden()
        await close(context)
    assert said == []


async def test_after_a_search_that_was_given_up_the_field_says_what_the_list_shows(
    world: World, browser: Browser
) -> None:
    await fill(world)
    async with served(world.app) as address:
        context = await new_context(browser)
        page = await context.new_page()
        await page.goto(f"{address}/login")
        await log_in(Seen(page, address))
        field = page.locator("#filters input[name=text]")
        await page.route("**/calls?*", lambda route: None)  # never answered
        await field.fill("9161234567")
        await field.press("Enter")
        await until(page, "document.querySelector('#results').ariaBusy === 'true'")
        await page.get_by_role("link", name="Pools").click()
        await page.wait_for_url("**/pools")
        await page.go_back()
        await expect(page.locator("#rows tr").first).to_be_visible()
        await expect(field).to_have_value("")
        await close(context)
