"""The player in a real browser, over a real recording: what a supervisor hears while the page goes
on changing.
"""

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from router.domain.calls.call import RecordingState, Tag
from tests.acceptance.supervisor import SECONDS, SLOWLY, heard, log_in, looking, until
from tests.support.web_calls import a_call, a_recording, furnish
from tests.support.web_world import World

pytestmark = pytest.mark.acceptance
pytest_plugins = ["tests.acceptance.supervisor"]


async def playing_time(page: Page) -> float:
    """Where the player is, in seconds."""
    return float(await page.evaluate("document.querySelector('audio').currentTime"))


async def test_a_recording_is_heard_sought_and_driven_by_keyboard(
    world: World, browser: Browser, sound: bytes
) -> None:
    await furnish(world, heard(world, sound))
    async with looking(world, browser) as seen:
        await log_in(seen)
        page = seen.page
        await page.get_by_role("link", name="+7 916 123-45-67").first.focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_contain_text("+7 916 123-45-67")
        wave = page.get_by_role("slider", name="Position")
        await expect(wave).to_have_attribute("aria-valuemax", str(SECONDS))
        await expect(wave.locator("canvas").first).to_be_visible()

        await page.keyboard.press("Space")
        await until(page, "document.querySelector('audio').currentTime > 0.3")
        await expect(page.get_by_role("button", name="Pause")).to_be_visible()
        await page.keyboard.press("Space")
        await expect(page.get_by_role("button", name="Play")).to_be_visible()

        await page.keyboard.press("ArrowRight")
        await until(page, "document.querySelector('audio').currentTime > 5")
        await wave.focus()
        await page.keyboard.press("End")
        await expect(wave).to_have_attribute("aria-valuenow", str(SECONDS))
        box = await wave.bounding_box()
        assert box is not None
        await wave.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
        await until(
            page, f"Math.abs(document.querySelector('audio').currentTime - {SECONDS / 2}) < 1.5"
        )

        await page.get_by_label("Speed").select_option("2")
        assert await page.evaluate("document.querySelector('audio').playbackRate") == 2
        async with page.expect_download() as download:
            await page.get_by_role("link", name="Download").click()
        found = await download.value
        assert found.suggested_filename == "2026-01-20_112500Z_79161234567.mp3"
        assert Path(await found.path()).read_bytes() == sound


async def test_what_happens_to_a_call_shows_while_its_recording_goes_on_playing(
    world: World, browser: Browser, sound: bytes
) -> None:
    calls = await furnish(world, heard(world, sound))
    call = calls["attributed"]
    async with looking(world, browser) as seen:
        await log_in(seen)
        page = seen.page
        await page.goto(f"{seen.address}/calls/{call.id}")
        await page.get_by_role("button", name="Play").click()
        await until(page, "document.querySelector('audio').currentTime > 0.2")
        await page.evaluate(SLOWLY)
        async with world.store.write() as session:
            await session.tags.add(
                Tag(call_id=call.id, name="from elsewhere", author="rule", at=world.clock.now)
            )
            await session.calls.touch(call.id)
        await expect(page.locator("#tags")).to_contain_text("from elsewhere")
        before = await playing_time(page)
        await until(page, f"document.querySelector('audio').currentTime > {before}")
        assert await page.evaluate("document.querySelector('audio').paused") is False

        await page.get_by_label("New tag").fill("by hand")
        await page.keyboard.press("Enter")
        await expect(page.locator("#tags")).to_contain_text("by hand")
        await expect(page.get_by_label("New tag")).to_have_value("")
        await page.get_by_role("button", name="Remove the tag by hand").click()
        await expect(page.locator("#tags")).not_to_contain_text("by hand")
        assert await page.evaluate("document.querySelector('audio').paused") is False


async def test_a_recording_appears_on_the_open_page_when_it_is_ready(
    world: World, browser: Browser, sound: bytes
) -> None:
    call = a_call("1", world.clock.now)
    await world.save(call)
    ready = a_recording(call, sound, seconds=float(SECONDS))
    async with world.store.write() as session:
        await session.recordings.save([replace(ready, state=RecordingState.WAITING)])
    async with looking(world, browser) as seen:
        await log_in(seen)
        page = seen.page
        await page.goto(f"{seen.address}/calls/{call.id}")
        await expect(page.get_by_text("The recording is being processed")).to_be_visible()
        async with world.store.write() as session:
            await session.recordings.save([ready])
            await session.calls.touch(call.id)
        await page.get_by_role("button", name="Play").click()
        await until(page, "document.querySelector('audio').currentTime > 0.2")


async def test_a_refused_tag_is_explained_beside_its_field_and_stays_typed(
    world: World, browser: Browser, sound: bytes
) -> None:
    calls = await furnish(world, heard(world, sound))
    async with looking(world, browser, locale="ru-RU") as seen:
        await log_in(seen)
        page = seen.page
        await page.goto(f"{seen.address}/calls/{calls['attributed'].id}")
        field = page.get_by_label("Новый тег")
        await field.fill("complaint, rude")
        await page.keyboard.press("Enter")
        form = page.locator("form", has=field)
        await expect(form.get_by_role("alert")).to_contain_text("В теге от 1 до 40 символов")
        await expect(field).to_have_value("complaint, rude")
        await field.fill("Жалоба")
        await page.keyboard.press("Enter")
        await expect(page.locator("#tags")).to_contain_text("жалоба")
        await expect(form.get_by_role("alert")).to_have_count(0)
        # the browser's own line
        seen.wrongs = [wrong for wrong in seen.wrongs if "422" not in wrong]


async def test_keys_drive_the_player_after_clicks_and_the_speed_is_remembered(
    world: World, browser: Browser, sound: bytes
) -> None:
    calls = await furnish(world, heard(world, sound))
    async with looking(world, browser) as seen:
        await log_in(seen)
        page = seen.page
        await page.goto(f"{seen.address}/calls/{calls['attributed'].id}")
        await page.get_by_role("button", name="Play").click()
        await until(page, "document.querySelector('audio').currentTime > 0.2")
        await page.keyboard.press("ArrowRight")
        await until(page, "document.querySelector('audio').currentTime > 5")

        await page.get_by_label("Speed").select_option("1.5")
        await page.keyboard.press("Space")
        await until(page, "document.querySelector('audio').paused")
        await page.reload()
        await expect(page.get_by_label("Speed")).to_have_value("1.5")
        await until(page, "document.querySelector('audio').playbackRate === 1.5")
