"""The list of calls by keyboard: marks, tags for many calls, columns, views."""

import pytest
from playwright.async_api import Browser, expect

from tests.acceptance.supervisor import log_in, looking, until
from tests.support.web_calls import a_call, furnish
from tests.support.web_world import World

pytestmark = pytest.mark.acceptance
pytest_plugins = ["tests.acceptance.supervisor"]


async def test_calls_are_marked_by_keyboard_and_tagged_together(
    world: World, browser: Browser
) -> None:
    calls = await furnish(world)
    async with looking(world, browser) as seen:
        page = seen.page
        await log_in(seen)
        await page.locator("#rows .caller a").first.focus()
        await page.keyboard.press("x")
        await expect(page.locator("#marked")).to_have_text("1")
        await page.locator("#rows .mark input").nth(2).click(modifiers=["Shift"])
        await expect(page.locator("#marked")).to_have_text("3")

        # a marked call that changes stays marked
        await world.save(a_call("1", calls["attributed"].arrived_at, caller_name="Renamed"))
        await expect(page.locator("#rows tr").first).to_contain_text("Renamed")
        await expect(page.locator("#marked")).to_have_text("3")

        await page.locator("#bulk [name=name]").fill("regular")
        await page.keyboard.press("Enter")
        await expect(page.locator("#done")).to_contain_text("3 calls tagged")
        await expect(page.locator("#rows .tag", has_text="regular")).to_have_count(3)
        await expect(page.locator("#bulk")).to_be_hidden()


async def test_columns_move_by_keyboard_on_a_phone_and_keep_the_focus(
    world: World, browser: Browser
) -> None:
    await furnish(world)
    async with looking(world, browser, width=390) as seen:
        page = seen.page
        await log_in(seen)
        await page.locator("#columns summary").focus()
        await page.keyboard.press("Enter")
        up = page.get_by_role("button", name="Move Caller up")
        await up.focus()
        await page.keyboard.press("Enter")
        await until(page, "document.activeElement.value === 'caller.up'")
        first = page.locator("#columns li").first
        await expect(first).to_contain_text("Caller")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        await page.get_by_role("checkbox", name="Employee").check()
        await page.get_by_role("button", name="Show these columns").click()
        await expect(page.locator("thead th").nth(1)).to_have_text("Caller")
        await expect(page.locator("#rows [data-label=Employee]").first).to_contain_text("company")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390


async def test_a_view_is_saved_changed_and_left(world: World, browser: Browser) -> None:
    await furnish(world)
    async with looking(world, browser) as seen:
        page = seen.page
        await log_in(seen)
        await page.get_by_role("link", name="7 days").click()
        await page.get_by_text("Save as a view").click()
        await page.locator("#views [name=name]").first.fill("Week")
        await page.keyboard.press("Enter")
        await expect(page.locator("#views [aria-current]")).to_contain_text("Week")

        await page.locator("#filters [name=text]").fill("Ivan")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("View changed")).to_be_visible()
        await page.get_by_role("link", name="Discard changes").click()
        await expect(page.locator("#filters [name=text]")).to_have_value("")
        await page.get_by_role("link", name="All calls").click()
        await expect(page.locator("#views [aria-current]")).to_contain_text("All calls")
