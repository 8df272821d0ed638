"""The keys of a call's page in a real browser: each does one thing, wherever the focus is."""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.acceptance.supervisor import SECONDS, Seen, heard, log_in, looking, until
from tests.support.web_calls import furnish
from tests.support.web_world import World

pytestmark = pytest.mark.acceptance
pytest_plugins = ["tests.acceptance.supervisor"]
TIME = "document.querySelector('audio').currentTime"
PAUSED = "document.querySelector('audio').paused"
RATE = "document.querySelector('audio').playbackRate"


async def open_call(world: World, seen: Seen, sound: bytes) -> Page:
    """The page of a call with a recording, ready for keys."""
    calls = await furnish(world, heard(world, sound))
    await log_in(seen)
    await seen.page.goto(f"{seen.address}/calls/{calls['attributed'].id}")
    await expect(seen.page.get_by_role("slider").first.locator("canvas").first).to_be_visible()
    return seen.page


async def place(page: Page, seconds: float) -> None:
    """Wait until the player, which is paused, is at this second."""
    await until(page, f"Math.abs({TIME} - {seconds}) < 0.1")


async def test_keys_seek_by_their_own_distance(
    world: World, browser: Browser, sound: bytes
) -> None:
    async with looking(world, browser) as seen:
        page = await open_call(world, seen, sound)
        tenth = SECONDS / 10
        for key, at in (
            ("5", 5 * tenth),
            ("l", 5 * tenth + 10),
            ("j", 5 * tenth),
            ("ArrowRight", 5 * tenth + 5),
            ("Shift+ArrowLeft", 0),
            ("Shift+ArrowRight", 30),
            ("0", 0),
        ):
            await page.keyboard.press(key)
            await place(page, at)
        await page.keyboard.press("k")
        await until(page, f"!{PAUSED}")


async def test_speeds_have_steps_without_rounding_errors_and_are_remembered(
    world: World, browser: Browser, sound: bytes
) -> None:
    async with looking(world, browser) as seen:
        page = await open_call(world, seen, sound)
        for _ in range(3):
            await page.keyboard.press("[")
        assert await page.evaluate(RATE) == 0.7
        for _ in range(30):
            await page.keyboard.press("]")
        assert await page.evaluate(RATE) == 3
        for _ in range(3):
            await page.keyboard.press("[")
        assert await page.evaluate(RATE) == 2.25
        assert await page.evaluate("document.querySelector('audio').preservesPitch") is True
        await page.reload()
        await expect(page.get_by_label("Speed")).to_have_value("2.25")
        await until(page, f"{RATE} === 2.25")


async def test_keys_act_whatever_was_clicked_and_not_in_fields_or_with_ctrl(
    world: World, browser: Browser, sound: bytes
) -> None:
    async with looking(world, browser) as seen:
        page = await open_call(world, seen, sound)
        await page.get_by_role("button", name="Forward 5 seconds").click()
        await place(page, 5)
        await page.keyboard.press("Space")  # plays, and does not press the button again
        await until(page, f"!{PAUSED}")
        await page.keyboard.press("Space")
        await until(page, PAUSED)
        await page.get_by_label("Speed").select_option("1.5")
        await page.get_by_label("Speed").focus()
        await page.keyboard.press("l")  # another option begins with no letter, but lists search
        await until(page, f"{TIME} > 14")
        await page.get_by_label("Skip silence").click()
        await page.keyboard.press("0")
        await place(page, 0)

        await page.keyboard.press("t")
        await expect(page.get_by_label("New tag")).to_be_focused()
        await page.keyboard.type("kl 5 ?")
        await page.keyboard.press("ArrowLeft")
        await expect(page.get_by_label("New tag")).to_have_value("kl 5 ?")
        assert (await page.evaluate(TIME), await page.evaluate(PAUSED)) == (0, True)
        await page.get_by_label("New tag").fill("")
        await page.get_by_role("heading", level=1).click()
        for key in ("Control+5", "Alt+l", "Meta+k", "Shift+k"):
            await page.keyboard.press(key)
        assert (await page.evaluate(TIME), await page.evaluate(PAUSED)) == (0, True)


async def test_space_presses_a_button_that_was_reached_by_keyboard(
    world: World, browser: Browser, sound: bytes
) -> None:
    async with looking(world, browser) as seen:
        page = await open_call(world, seen, sound)
        await page.get_by_role("slider", name="Position").focus()
        await page.keyboard.press("Tab")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Tab")  # back, play, forward
        await expect(page.get_by_role("button", name="Forward 5 seconds")).to_be_focused()
        await page.keyboard.press("Space")
        await place(page, 5)
        assert await page.evaluate(PAUSED) is True
        await page.keyboard.press("k")
        await until(page, f"!{PAUSED}")


async def test_a_cyrillic_keyboard_has_the_same_keys(
    world: World, browser: Browser, sound: bytes
) -> None:
    async with looking(world, browser) as seen:
        page = await open_call(world, seen, sound)
        for key, code in (("х", "BracketLeft"), ("Д", "KeyL")):
            await page.evaluate(
                "([key, code]) => document.body.dispatchEvent("
                "new KeyboardEvent('keydown', {key, code, bubbles: true, cancelable: true}))",
                [key, code],
            )
        assert await page.evaluate(RATE) == 0.9
        await place(page, 10)


async def test_a_question_mark_shows_every_key_and_hides_them_again(
    world: World, browser: Browser, sound: bytes
) -> None:
    async with looking(world, browser) as seen:
        page = await open_call(world, seen, sound)
        await page.keyboard.press("?")
        dialog = page.get_by_role("dialog", name="All keys")
        await expect(dialog).to_be_visible()
        shown = await dialog.locator("[data-command]:not([hidden])").all()
        assert len(shown) >= 14
        for row in shown:
            assert await row.locator("kbd").count() > 0
        await page.keyboard.press("k")  # keys wait until the dialog is closed
        assert await page.evaluate(PAUSED) is True
        await page.keyboard.press("?")
        await expect(dialog).to_be_hidden()
        await page.get_by_role("button", name="All keys").click()
        await page.keyboard.press("Escape")
        await expect(dialog).to_be_hidden()
