"""Takes pictures of the pages: `python -m tests.support.screenshots` (`make screenshots`) writes
those of the documentation; with a directory, every page in both languages, on a screen and on a
phone, light and dark, so that a person can look at all of them.
"""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.async_api import (
    Browser,
    BrowserContext,
    FloatRect,
    Page,
    async_playwright,
    expect,
)

import recordings
from router.recorder import StorageReader
from tests.support.pictured_company import fill, sound
from tests.support.web_world import PASSWORD, a_world, served

DOCS = Path(__file__).parents[2] / "docs/pictures"
WIDE, NARROW = 1200, 390
TALLEST = 1250  # of a picture in the documentation
FLAGS = ["--no-sandbox", "--disable-gpu"]


@asynccontextmanager
async def company() -> AsyncIterator[tuple[str, dict[str, str]]]:
    """A filled installation; its address, and the path of each page by its name."""
    with TemporaryDirectory() as directory:
        storage = Path(directory, "storage")
        key = storage / "2026/01/20/a.mp3"
        key.parent.mkdir(parents=True)
        key.write_bytes(sound())
        listening = StorageReader(recordings.Storage.open(storage))
        async with a_world(Path(directory), listening=listening) as world:
            call = await fill(world)
            async with served(world.app) as address:
                yield address, _paths(call.id)


def _paths(call: str) -> dict[str, str]:
    return {
        "calls": "/calls",
        "call": f"/calls/{call}",
        "deliveries": "/deliveries",
        "pools": "/pools",
        "pool": "/pools/visitors",
        "reliability": "/reliability",
        "nothing-found": "/calls?text=nobody",
        "receiver": "/receivers/sales",
        "error": "/calls/none",
    }


async def _log_in(context: BrowserContext, address: str) -> Page:
    page = await context.new_page()
    await page.goto(f"{address}/login")
    await page.get_by_role("textbox").first.fill("root")
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.locator("button.primary").click()
    await page.wait_for_url("**/calls")
    return page


async def _picture(page: Page, address: str, path: str, file: Path, most: int = 20_000) -> None:
    """One page from its top, at most `most` points of it."""
    await page.goto(address + path)
    await page.evaluate("scrollTo(0, document.body.scrollHeight)")  # parts are loaded when seen
    await expect(page.locator("[aria-busy=true]")).to_have_count(0)
    await page.evaluate("scrollTo(0, 0)")
    if path.startswith("/calls/pbx"):
        await page.locator(".controls:not([hidden])").wait_for()
    tall = await page.evaluate("document.documentElement.scrollHeight")
    wide = await page.evaluate("document.documentElement.clientWidth")
    clip = FloatRect(x=0, y=0, width=wide, height=min(tall, most))
    await page.screenshot(path=file, full_page=True, clip=clip, animations="disabled")


async def _documentation(browser: Browser, address: str, paths: dict[str, str]) -> None:
    DOCS.mkdir(exist_ok=True)
    context = await _context(browser, WIDE, "en-GB", "light")
    page = await _log_in(context, address)
    for name in ("calls", "call", "deliveries", "pool", "reliability"):
        await _picture(page, address, paths[name], DOCS / f"{name}.png", TALLEST)


async def _everything(
    browser: Browser, address: str, paths: dict[str, str], directory: Path
) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for width, locale, scheme in product((WIDE, NARROW), ("en-GB", "ru-RU"), ("light", "dark")):
        context = await _context(browser, width, locale, scheme)
        ending = f"{locale[:2]}-{width}-{scheme}.png"
        front = await context.new_page()
        await _picture(front, address, "/login", directory / f"login-{ending}")
        page = await _log_in(context, address)
        for name, path in paths.items():
            await _picture(page, address, path, directory / f"{name}-{ending}")
        await context.close()


async def _context(browser: Browser, width: int, locale: str, scheme: Any) -> BrowserContext:
    return await browser.new_context(
        viewport={"width": width, "height": 800},
        locale=locale,
        color_scheme=scheme,
        timezone_id="Europe/Moscow",
    )


async def main(directory: Path | None) -> None:
    """Write the pictures."""
    async with company() as (address, paths), async_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        if directory:
            await _everything(browser, address, paths, directory)
        else:
            await _documentation(browser, address, paths)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if sys.argv[1:] else None))
