"""What the player does to the sound: loudness evened, balance, and nothing where it cannot."""

from dataclasses import replace

import pytest
from playwright.async_api import Browser, Page, expect

from tests.acceptance.supervisor import Seen, heard, log_in, looking, until
from tests.support.web_calls import furnish
from tests.support.web_world import World

pytestmark = pytest.mark.acceptance
pytest_plugins = ["tests.acceptance.supervisor"]
PLAYS = "document.querySelector('audio').currentTime > 0.3"
METERS = """(() => {
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (to, ...rest) {
    if (to instanceof AudioDestinationNode) {
      const splitter = this.context.createChannelSplitter(2);
      connect.call(this, splitter);
      window.meters = [0, 1].map((side) => {
        const meter = this.context.createAnalyser();
        connect.call(splitter, meter, side);
        return meter;
      });
    }
    return connect.call(this, to, ...rest);
  };
})()"""
LEVELS = """window.meters?.map((meter) => {
  const samples = new Float32Array(meter.fftSize);
  meter.getFloatTimeDomainData(samples);
  return 10 * Math.log10(samples.reduce((sum, one) => sum + one * one, 1e-12) / samples.length);
})"""


async def open_call(world: World, seen: Seen, sound: bytes) -> Page:
    """The page of a call whose caller was measured 20 dB fainter than the company."""
    levels = {"caller_level_dbfs": -42.0, "company_level_dbfs": -22.0}
    calls = await furnish(world, replace(heard(world, sound), **levels))
    await log_in(seen)
    await seen.page.goto(f"{seen.address}/calls/{calls['attributed'].id}")
    return seen.page


async def test_the_faint_side_is_raised_and_the_balance_fades_a_side_out(
    world: World, browser: Browser, sound: bytes
) -> None:
    async with looking(world, browser) as seen:
        await seen.page.add_init_script(METERS)
        page = await open_call(world, seen, sound)
        await page.get_by_label("Even loudness").check()
        await page.keyboard.press("k")
        await page.evaluate("document.querySelector('audio').loop = true")
        # both tones are equally loud in the file
        louder = "([caller, company]) => caller > -40 && caller > company + 1"
        await until(page, f"({louder})({LEVELS} ?? [-99, -99])")

        await page.get_by_label("Balance").fill("1")
        await until(page, f"{LEVELS}[0] < -80 && {LEVELS}[1] > -40")
        await page.get_by_label("Even loudness").uncheck()
        await page.get_by_label("Balance").fill("0")
        await until(page, f"Math.abs({LEVELS}[0] - {LEVELS}[1]) < 1")

        await page.get_by_label("Balance").fill("-0.5")
        await page.reload()
        await expect(page.get_by_label("Balance")).to_have_value("-0.5")


async def test_without_web_audio_it_plays_as_it_is(
    world: World, browser: Browser, sound: bytes
) -> None:
    async with looking(world, browser) as seen:
        await seen.page.add_init_script("delete window.AudioContext")
        page = await open_call(world, seen, sound)
        await page.get_by_label("Even loudness").check()
        await page.get_by_label("Balance").fill("1")
        await page.keyboard.press("k")
        await until(page, PLAYS)


async def test_sound_that_the_browser_does_not_start_leaves_the_recording_alone(
    world: World, browser: Browser, sound: bytes
) -> None:
    async with looking(world, browser) as seen:
        await seen.page.add_init_script(
            "AudioContext.prototype.resume = () => new Promise(() => undefined);"
            "Object.defineProperty(AudioContext.prototype, 'state', {get: () => 'suspended'});"
            "AudioContext.prototype.createMediaElementSource = () => { window.taken = true };"
        )
        page = await open_call(world, seen, sound)
        await page.get_by_label("Even loudness").check()
        await page.keyboard.press("k")
        await until(page, PLAYS)
        assert await page.evaluate("window.taken === undefined")
