"""A call is tagged, commented and reviewed by keyboard alone, in a real browser."""

import pytest
from playwright.async_api import Browser, expect

from router.domain.calls.tagging import TagColour
from router.service.calls.tags import register_tag
from tests.acceptance.supervisor import heard, log_in, looking, until
from tests.support.web_calls import furnish
from tests.support.web_world import World

pytestmark = pytest.mark.acceptance
pytest_plugins = ["tests.acceptance.supervisor"]


async def test_a_call_is_tagged_commented_and_reviewed_by_single_keys(
    world: World, browser: Browser, sound: bytes
) -> None:
    calls = await furnish(world, heard(world, sound))
    now = world.clock.now
    await register_tag(world.store, "sale", colour=TagColour.GREEN, digit=1, now=now)
    async with looking(world, browser) as seen:
        page = seen.page
        await log_in(seen)
        await page.goto(f"{seen.address}/calls/{calls['attributed'].id}")
        await expect(page.get_by_role("slider").first.locator("canvas").first).to_be_visible()

        button = page.locator("[data-digit='1']")
        await page.keyboard.press("1")
        await expect(button).to_have_attribute("aria-pressed", "true")
        await page.keyboard.press("1")
        await expect(button).to_have_attribute("aria-pressed", "false")
        await page.keyboard.press("2")  # no tag has it: it leads to a tenth
        await until(page, "document.querySelector('audio').currentTime > 1")

        await page.keyboard.press("c")
        await page.keyboard.type("Offers 1 discount, hears no h")
        await page.keyboard.press("Control+Enter")
        comment = page.locator("#comments li")
        await expect(comment.locator(".written")).to_have_text("Offers 1 discount, hears no h")
        await expect(comment.locator("a[href^='?t=']")).to_be_visible()
        await expect(button).to_have_attribute("aria-pressed", "false")

        await page.locator("h1").click()
        await page.keyboard.press("h")
        await expect(page.locator("#review .outcome.good")).to_be_visible()
