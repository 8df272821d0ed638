"""The pages in a real browser, over a real database and a real recording: what a supervisor does all day."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

import recordings
from router.domain.call import Recording, RecordingState, Tag
from router.recorder import ShelfListening
from tests.web_world import PASSWORD, World, a_call, a_recording, a_world, furnish, ringing, served

pytestmark = pytest.mark.acceptance
SECONDS = 40
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


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
            lambda said: self.wrongs.append(f"console: {said.text}") if said.type in {"error", "warning"} else None,
        )

    def _host(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self.wrongs.append(f"request to {url}")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A stereo MP3: a low tone on the caller's side, a high one on the company's."""
    path = tmp_path_factory.mktemp("sound") / "a.mp3"
    tones = [f"sine=frequency={hertz}:duration={SECONDS}:sample_rate=8000" for hertz in (330, 660)]
    inputs = [word for tone in tones for word in ("-f", "lavfi", "-i", tone)]
    command = ["ffmpeg", "-v", "error", *inputs, "-filter_complex", "amerge", "-b:a", "32k", str(path)]
    subprocess.run(command, check=True)
    return path.read_bytes()


@pytest.fixture
async def world(tmp_path: Path, sound: bytes) -> AsyncIterator[World]:
    key = tmp_path / "shelf" / "2026/01/20/a.mp3"
    key.parent.mkdir(parents=True)
    key.write_bytes(sound)
    async with a_world(tmp_path, listening=ShelfListening(recordings.Shelf.open(tmp_path / "shelf"))) as world:
        yield world


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        found = shutil.which("chromium")
        browser = await playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        await browser.close()


@asynccontextmanager
async def looking(world: World, browser: Browser, width: int = 1280, locale: str = "en-GB") -> AsyncIterator[Seen]:
    """Someone before the log-in form; at the end nothing wrong may have been seen."""
    async with served(world.app) as address:
        context = await browser.new_context(
            viewport={"width": width, "height": 900}, locale=locale, timezone_id="Europe/Moscow"
        )
        seen = Seen(await context.new_page(), address)
        seen.watch()
        await seen.page.goto(f"{address}/login")
        yield seen
        await context.close()
        assert seen.wrongs == []


async def log_in(seen: Seen, login: str = "anna") -> None:
    """By keyboard alone, from the field that has the focus."""
    await seen.page.keyboard.type(login)
    await seen.page.keyboard.press("Tab")
    await seen.page.keyboard.type(PASSWORD)
    await seen.page.keyboard.press("Enter")
    await seen.page.wait_for_url("**/calls")


def heard(world: World, sound: bytes) -> Recording:
    """The recording of the attributed call, as long as the sound is."""
    return a_recording(a_call("1", world.clock.now), sound, seconds=float(SECONDS))


async def until(page: Page, expression: str) -> None:
    """Wait until the page says yes. Asked from outside: the page's own policy forbids evaluating text in it."""
    async with asyncio.timeout(15):
        while not await page.evaluate(expression):
            await asyncio.sleep(0.05)


async def playing_time(page: Page) -> float:
    """Where the player is, in seconds."""
    return float(await page.evaluate("document.querySelector('audio').currentTime"))


async def test_a_call_appears_while_it_rings_and_changes_without_reloading(world: World, chromium: Browser) -> None:
    async with looking(world, chromium) as seen:
        await log_in(seen)
        page = seen.page
        await expect(page.get_by_text("No calls yet")).to_be_visible()
        await page.evaluate("window.sameDocument = true")
        await until(page, "document.querySelector('#results').matches('[sse-connect]')")
        await world.save(ringing("1", world.clock.now))
        row = page.locator("#rows tr")
        await expect(row).to_have_count(1)
        await expect(row).to_contain_text("Ringing")
        await expect(page.get_by_text("No calls yet")).to_be_hidden()
        await world.save(a_call("1", world.clock.now))
        await expect(row).to_contain_text("Answered")
        await expect(row).to_have_count(1)
        older = replace(ringing("0", world.clock.now), arrived_at=world.clock.now.replace(hour=9))
        await world.save(older)
        await expect(row).to_have_count(2)
        assert await row.evaluate_all("rows => rows.map(row => row.dataset.id)") == [
            "pbx-1768912345.1",
            "pbx-1768912345.0",
        ]
        assert await page.evaluate("window.sameDocument") is True


async def test_a_recording_is_heard_sought_and_driven_by_keyboard(
    world: World, chromium: Browser, sound: bytes
) -> None:
    await furnish(world, heard(world, sound))
    async with looking(world, chromium) as seen:
        await log_in(seen)
        page = seen.page
        await page.get_by_role("link", name="+7 916 123-45-67").first.focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_contain_text("+7 916 123-45-67")
        wave = page.get_by_role("slider")
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
        await until(page, f"Math.abs(document.querySelector('audio').currentTime - {SECONDS / 2}) < 1.5")
        assert abs(await playing_time(page) - SECONDS / 2) < 1.5

        await page.get_by_label("Speed").select_option("2")
        assert await page.evaluate("document.querySelector('audio').playbackRate") == 2
        async with page.expect_download() as download:
            await page.get_by_role("link", name="Download").click()
        found = await download.value
        assert found.suggested_filename == "2026-01-20_112500Z_79161234567.mp3"
        assert Path(await found.path()).read_bytes() == sound


async def test_what_happens_to_a_call_shows_while_its_recording_goes_on_playing(
    world: World, chromium: Browser, sound: bytes
) -> None:
    calls = await furnish(world, heard(world, sound))
    call = calls["attributed"]
    async with looking(world, chromium) as seen:
        await log_in(seen)
        page = seen.page
        await page.goto(f"{seen.address}/calls/{call.id}")
        await page.get_by_role("button", name="Play").click()
        await until(page, "document.querySelector('audio').currentTime > 0.2")
        async with world.store.write() as session:
            await session.set_tag(Tag(call_id=call.id, name="from elsewhere", author="rule", at=world.clock.now))
            await session.touch_call(call.id)
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
    world: World, chromium: Browser, sound: bytes
) -> None:
    call = a_call("1", world.clock.now)
    await world.save(call)
    ready = a_recording(call, sound, seconds=float(SECONDS))
    async with world.store.write() as session:
        await session.save_recordings([replace(ready, state=RecordingState.WAITING)])
    async with looking(world, chromium) as seen:
        await log_in(seen)
        page = seen.page
        await page.goto(f"{seen.address}/calls/{call.id}")
        await expect(page.get_by_text("The recording is being prepared")).to_be_visible()
        async with world.store.write() as session:
            await session.save_recordings([ready])
            await session.touch_call(call.id)
        await page.get_by_role("button", name="Play").click()
        await until(page, "document.querySelector('audio').currentTime > 0.2")


async def test_filters_change_the_list_the_address_and_what_comes_live(world: World, chromium: Browser) -> None:
    calls = await furnish(world)
    async with looking(world, chromium) as seen:
        await log_in(seen)
        page = seen.page
        rows = page.locator("#rows tr")
        await expect(rows).to_have_count(len(calls))
        await page.get_by_label("Ending").select_option("busy")
        await expect(rows).to_have_count(1)
        await page.wait_for_url("**/calls?ending=busy")
        await world.save(ringing("20", world.clock.now), replace(calls["busy"], caller_name="Changed Live"))
        await expect(rows).to_contain_text("Changed Live")
        await expect(rows).to_have_count(1)
        await page.go_back()
        await expect(rows).to_have_count(len(calls) + 1)


async def test_the_language_changes_and_stays(world: World, chromium: Browser) -> None:
    await furnish(world)
    async with looking(world, chromium, locale="ru-RU") as seen:
        page = seen.page
        await expect(page.get_by_role("heading", name="Войти")).to_be_visible()
        await log_in(seen)
        await expect(page.get_by_role("heading", name="Звонки")).to_be_visible()
        await expect(page.locator("#rows tr").first).to_contain_text("14:25")  # Moscow's time
        await page.get_by_role("button", name="English").click()
        await expect(page.get_by_role("heading", name="Calls", exact=True)).to_be_visible()
        await page.get_by_role("link", name="+7 916 123-45-67").first.click()
        await expect(page.get_by_text("The visitor was on the page when they called")).to_be_visible()


@pytest.mark.parametrize("width", [360, 390, 768, 1280])
async def test_nothing_sticks_out_at_any_width(world: World, chromium: Browser, sound: bytes, width: int) -> None:
    calls = await furnish(world, heard(world, sound))
    async with looking(world, chromium, width=width, locale="ru-RU") as seen:
        await log_in(seen, "root")
        for path in ("/calls", "/calls?ending=cut", *(f"/calls/{call.id}" for call in calls.values())):
            await seen.page.goto(seen.address + path)
            beyond = await seen.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert beyond <= 0, path


async def test_a_lost_connection_is_told_and_what_was_missed_comes_after(
    world: World, chromium: Browser, tmp_path: Path
) -> None:
    async with served(world.app) as address:
        relay = await Relay.open(int(address.rpartition(":")[2]))
        page = await (await chromium.new_context(locale="en-GB")).new_page()
        await page.goto(f"http://127.0.0.1:{relay.port}/login")
        await log_in(Seen(page, address))
        await world.save(ringing("1", world.clock.now))
        await expect(page.locator("#rows tr")).to_have_count(1)
        await relay.cut()
        await expect(page.get_by_text("The connection is lost")).to_be_visible()
        await world.save(ringing("2", world.clock.now), a_call("1", world.clock.now))
        await relay.mend()
        await expect(page.locator("#rows tr")).to_have_count(2, timeout=20_000)
        await expect(page.get_by_text("The connection is lost")).to_be_hidden()
        await expect(page.locator("#rows")).to_contain_text("Answered")
        await page.context.close()
        await relay.cut()


class Relay:
    """A wire between the browser and the server that can be cut."""

    def __init__(self, target: int, port: int = 0) -> None:
        self._target, self.port = target, port
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    @classmethod
    async def open(cls, target: int) -> "Relay":
        """A wire to the server on port `target`, on a free port."""
        relay = cls(target)
        await relay.mend()
        return relay

    async def mend(self) -> None:
        """Let connections through, on the same port as before."""
        self._server = await asyncio.start_server(self._join, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Break every connection and take no new one."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, here = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers |= {writer, here}
        await asyncio.gather(self._carry(reader, here), self._carry(there, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()
