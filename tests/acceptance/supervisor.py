"""A supervisor before the pages: logged in by keyboard, with an eye on everything a page should not
do.
"""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

import recordings
from router.domain.calls.call import Recording
from router.recorder import StorageReader
from tests.acceptance.script_visitor import PATIENCE, close, new_context
from tests.support.web_calls import a_call, a_recording
from tests.support.web_world import PASSWORD, World, a_world, served

SECONDS = 40  # what the sound lasts
# so that it does not end before a busy machine has done what it is to do meanwhile
SLOWLY = "document.querySelector('audio').playbackRate = 0.1"
NOTE_SEEKS = """(() => {
  window.sought = [];
  const audio = document.querySelector("audio");
  audio.addEventListener("seeking", () => window.sought.push(audio.currentTime));
  return true;
})()"""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A stereo MP3: a low tone on the caller's side, a high one on the company's."""
    path = tmp_path_factory.mktemp("sound") / "a.mp3"
    tones = [f"sine=frequency={hertz}:duration={SECONDS}:sample_rate=8000" for hertz in (330, 660)]
    inputs = [word for tone in tones for word in ("-f", "lavfi", "-i", tone)]
    command = [
        "ffmpeg",
        "-v",
        "error",
        *inputs,
        "-filter_complex",
        "amerge",
        "-b:a",
        "32k",
        str(path),
    ]
    subprocess.run(command, check=True)
    return path.read_bytes()


@pytest_asyncio.fixture(loop_scope="session")
async def world(tmp_path: Path, sound: bytes) -> AsyncIterator[World]:
    """An installation that keeps the sound in a real storage."""
    key = tmp_path / "storage" / "2026/01/20/a.mp3"
    key.parent.mkdir(parents=True)
    key.write_bytes(sound)
    async with a_world(
        tmp_path, listening=StorageReader(recordings.Storage.open(tmp_path / "storage"))
    ) as world:
        yield world


def heard(world: World, sound: bytes) -> Recording:
    """The recording of the attributed call, as long as the sound is."""
    return a_recording(a_call("1", world.clock.now), sound, seconds=float(SECONDS))


@dataclass
class Seen:
    """A page in front of someone, and everything it did that it should not."""

    page: Page
    address: str
    wrongs: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Note requests to other hosts, errors of scripts and breaches of the policy."""
        self.page.on("request", lambda request: self._host(request.url))
        self.page.on("pageerror", lambda error: self.wrongs.append(f"script: {error}"))
        self.page.on(
            "console",
            lambda said: (
                self.wrongs.append(f"console: {said.text}")
                if said.type in {"error", "warning"}
                else None
            ),
        )

    def _host(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self.wrongs.append(f"request to {url}")


@asynccontextmanager
async def looking(
    world: World, browser: Browser, width: int = 1280, locale: str = "en-GB"
) -> AsyncIterator[Seen]:
    """Someone before the log-in form; at the end nothing wrong may have been seen."""
    async with served(world.app) as address:
        screen = {"width": width, "height": 900}
        context = await new_context(
            browser, viewport=screen, locale=locale, timezone_id="Europe/Moscow"
        )
        seen = Seen(await context.new_page(), address)
        seen.watch()
        await seen.page.goto(f"{address}/login")
        yield seen
        await close(context)
        assert seen.wrongs == []


async def log_in(seen: Seen, login: str = "anna") -> None:
    """By keyboard alone, from the field that gets the focus when the page is ready."""
    await until(seen.page, "document.activeElement?.name === 'login'")
    await seen.page.keyboard.type(login)
    await seen.page.keyboard.press("Tab")
    await seen.page.keyboard.type(PASSWORD)
    await seen.page.keyboard.press("Enter")
    await seen.page.wait_for_url("**/calls")


async def until(page: Page, expression: str) -> None:
    """Wait until the page says yes. Asked from outside: the page's own policy forbids evaluating
    text in it.
    """
    async with asyncio.timeout(PATIENCE):
        while not await page.evaluate(expression):
            await asyncio.sleep(0.05)


async def sought(page: Page, at: float, within: float = 0.2) -> None:
    """Wait until the player has sought this second since `NOTE_SEEKS`; it may play on."""
    await until(page, f"window.sought.some((place) => Math.abs(place - {at}) < {within})")


async def open_filters(page: Page) -> None:
    """Unfold the filters that are folded away."""
    details = page.locator("#filters details")
    if not await details.evaluate("details => details.open"):
        await details.locator("summary").click()


async def filter_by_outcome(page: Page, ending: str) -> None:
    """Choose this outcome alone."""
    await open_filters(page)
    for chosen in await page.locator("#filters [name=ending]:checked").all():
        await chosen.uncheck()
    await page.locator(f"#filters [name=ending][value={ending}]").check()
