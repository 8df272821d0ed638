"""Moments of a recording in a real browser: repeats, links, marks, silences, and the next call."""

from dataclasses import replace

import pytest
from playwright.async_api import Browser, Page, expect

from router.domain.calls.call import Call, Spans
from tests.acceptance.supervisor import (
    NOTE_SEEKS,
    SECONDS,
    SLOWLY,
    Seen,
    heard,
    log_in,
    looking,
    sought,
    until,
)
from tests.support.web_calls import furnish
from tests.support.web_world import World

pytestmark = pytest.mark.acceptance
pytest_plugins = ["tests.acceptance.supervisor"]
TIME = "document.querySelector('audio').currentTime"
PAUSED = "document.querySelector('audio').paused"
REFUSING = """HTMLMediaElement.prototype.play = () =>
  Promise.reject(new DOMException("press something first", "NotAllowedError"))"""


async def open_call(seen: Seen, call: Call, query: str = "") -> Page:
    """The page of a call with a recording, its waveform drawn."""
    await seen.page.goto(f"{seen.address}/calls/{call.id}{query}")
    await expect(seen.page.locator(".wave canvas").first).to_be_visible()
    return seen.page


async def drag(page: Page, begin: float, end: float) -> None:
    """Drag over a part of the waveform, given by shares of its width."""
    box = await page.locator(".wave").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    await page.mouse.move(box["x"] + begin * box["width"], y)
    await page.mouse.down()
    await page.mouse.move(box["x"] + (begin + end) / 2 * box["width"], y)
    await page.mouse.move(box["x"] + end * box["width"], y)
    await page.mouse.up()


async def test_a_part_that_is_dragged_over_repeats_until_escape(
    world: World, browser: Browser, sound: bytes
) -> None:
    calls = await furnish(world, heard(world, sound))
    async with looking(world, browser) as seen:
        await log_in(seen)
        page = await open_call(seen, calls["attributed"])
        await page.evaluate(NOTE_SEEKS)
        await drag(page, 0.52, 0.5)  # backwards too: 0.8 seconds
        await expect(page.get_by_role("button", name="End the repeat")).to_be_visible()
        await page.keyboard.press("k")
        await until(page, "window.sought.length >= 3")
        jumps = await page.evaluate("window.sought")
        assert [at for at in jumps if abs(at - SECONDS / 2) > 0.2] == []
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("button", name="End the repeat")).to_be_hidden()
        await until(page, f"{TIME} > {SECONDS / 2 + 1.5}")

        await page.keyboard.press("k")
        await page.keyboard.press("2")
        for key in ("a", "ArrowRight", "a"):  # by keyboard alone
            await page.keyboard.press(key)
        await expect(page.locator("[data-loop-text]")).to_have_text("0:08 – 0:13")
        await page.locator(".wave").click(position={"x": 2, "y": 20})
        await expect(page.get_by_role("button", name="End the repeat")).to_be_hidden()
        await until(page, f"{TIME} < 1")


async def test_a_link_leads_to_a_moment_and_a_reload_goes_on_where_it_was(
    world: World, browser: Browser, sound: bytes
) -> None:
    calls = await furnish(world, heard(world, sound))
    async with looking(world, browser) as seen:
        await log_in(seen)
        page = await open_call(seen, calls["attributed"], "?t=21")
        await until(page, f"Math.abs({TIME} - 21) < 0.1")
        await page.keyboard.press("l")
        await until(page, f"Math.abs({TIME} - 31) < 0.1")
        await page.reload()
        await until(page, f"Math.abs({TIME} - 31) < 0.2")
        await page.evaluate(NOTE_SEEKS)
        await page.evaluate("location.hash = 't=0:12'")
        await sought(page, 12)
        await until(page, f"!{PAUSED}")
        await page.evaluate("document.querySelector('audio').pause()")

        await page.evaluate(
            "navigator.clipboard.writeText = text => (window.copied = text, Promise.resolve())"
            " || true"
        )
        await page.keyboard.press("0")
        await page.keyboard.press("l")
        await page.keyboard.press("m")
        await expect(page.get_by_role("status").filter(has_text="copied (0:10)")).to_be_visible()
        link = f"{seen.address}/calls/{calls['attributed'].id}?t=10"
        assert await page.evaluate("window.copied") == link


async def test_marks_seek_and_silences_are_skipped_on_wish(
    world: World, browser: Browser, sound: bytes
) -> None:
    spans = Spans(silences=((4.0, 9.0), (20.0, 39.0)), talk_overs=((12.0, 14.0),))
    calls = await furnish(world, replace(heard(world, sound), spans=spans))
    async with looking(world, browser) as seen:
        await log_in(seen)
        page = await open_call(seen, calls["attributed"])
        await page.evaluate(NOTE_SEEKS)
        await page.get_by_role("link", name="0:12 Talk-over").click()
        await sought(page, 12)
        await until(page, f"!{PAUSED}")
        await page.keyboard.press("k")
        tick = page.locator(".ticks .silence").last
        assert await tick.get_attribute("title") == "0:20 Silence 0:19"
        await tick.click()
        await sought(page, 20)
        await until(page, f"!{PAUSED}")

        await page.keyboard.press("0")
        await page.get_by_label("Skip silence").check()
        await page.reload()
        await expect(page.get_by_label("Skip silence")).to_be_checked()
        await expect(page.locator(".wave canvas").first).to_be_visible()
        await page.evaluate(
            "window.heard = []; document.querySelector('audio').addEventListener("
            "'timeupdate', event => window.heard.push(event.target.currentTime))"
        )
        await page.evaluate("document.querySelector('audio').currentTime = 3.9")
        await page.evaluate(SLOWLY)
        await page.keyboard.press("k")
        await until(page, f"{TIME} > 8")
        await page.evaluate("document.querySelector('audio').playbackRate = 1")
        await until(page, f"{TIME} > 9.5")
        inside = [at for at in await page.evaluate("window.heard") if 6 < at < 8.6]
        assert inside == []


async def two_recordings(world: World, sound: bytes) -> dict[str, Call]:
    """The two newest calls have recordings, and the third has none."""
    calls = await furnish(world, heard(world, sound))
    async with world.store.write() as session:
        other = replace(heard(world, sound), call_id=calls["static"].id)
        await session.recordings.save([other])
        for name in ("attributed", "static"):
            await session.calls.touch(calls[name].id)
    return calls


async def test_n_and_p_lead_through_the_list_and_the_next_call_plays_on(
    world: World, browser: Browser, sound: bytes
) -> None:
    calls = await two_recordings(world, sound)
    async with looking(world, browser) as seen:
        await log_in(seen)
        page = seen.page
        await page.goto(f"{seen.address}/calls?recorded=yes")
        await page.get_by_role("link", name="+7 916 123-45-67").first.click()
        await page.wait_for_url(f"**/calls/{calls['attributed'].id}?in=recorded%3Dyes")
        await page.keyboard.press("k")
        await until(page, f"!{PAUSED}")
        await page.keyboard.press("n")
        await page.wait_for_url(f"**/calls/{calls['static'].id}?in=recorded%3Dyes")
        await until(page, f"!{PAUSED} && {TIME} > 0.1")
        await page.keyboard.press("k")
        await page.keyboard.press("p")
        await page.wait_for_url(f"**/calls/{calls['attributed'].id}?in=recorded%3Dyes")
        await expect(page.locator(".wave canvas").first).to_be_visible()
        assert await page.evaluate(PAUSED) is True
        await page.get_by_role("link", name="← Calls").click()
        await page.wait_for_url("**/calls?recorded=yes")


async def test_continuous_play_opens_the_next_recording_and_says_if_it_may_not_play(
    world: World, browser: Browser, sound: bytes
) -> None:
    calls = await two_recordings(world, sound)
    async with looking(world, browser) as seen:
        await log_in(seen)
        page = await open_call(seen, calls["attributed"])
        await page.get_by_label("Continuous play").check()
        await page.keyboard.press("9")
        await page.keyboard.press("k")
        await page.wait_for_url(f"**/calls/{calls['static'].id}")
        await until(page, f"!{PAUSED} && {TIME} > 0.1")
        await expect(page.get_by_label("Continuous play")).to_be_checked()

        await page.add_init_script(REFUSING)
        await page.reload()
        await page.keyboard.press("k")
        await expect(page.get_by_text("starts no sound by itself")).to_be_visible()
