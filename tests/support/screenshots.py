"""Takes pictures of the pages: `python -m tests.support.screenshots` (`make screenshots`) writes
those of the documentation; with a directory, every page in both languages, on a screen and on a
phone, light and dark, so that a person can look at all of them.
"""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
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
from tests.support.pictured_month import pictured_month
from tests.support.web_world import PASSWORD, a_world, served

DOCS = Path(__file__).parents[2] / "docs/pictures"
WIDE, NARROW = 1200, 390
MOST_COLOURS = 160  # of a picture in the documentation
COMPANY = {
    "deliveries": "/deliveries",
    "pools": "/pools",
    "pool": "/pools/visitors",
    "reliability": "/reliability",
    "error": "/calls/none",
}
MONTH = {
    "calls": "/calls",
    "filtered": "/calls?period=30d&campaign=winter-tyres&ending=answered",
    "nothing-found": "/calls?text=nobody",
    "missed": "/missed",
    "board": "/board",
    "tags": "/tags",
    "tag": "/tags/change?name=price",
    "words": "/words",
    "word-list": "/words/asked-to-wait",
    "samples": "/samples",
    "scores": "/scores",
    "cards": "/cards",
    "rules": "/rules",
    "rule": "/rules/new?talk_from=30",
    "spam": "/spam",
}
DOCUMENTED = {  # the pictures, and how much of each page
    "calls": 1000,
    "call": 1700,
    "missed": 1000,
    "board": 600,
    "deliveries": 1250,
    "pool": 1250,
    "reliability": 1250,
}
FLAGS = ["--no-sandbox", "--disable-gpu"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Where an installation's pages are: its address, and the path of each by its name."""

    address: str
    paths: dict[str, str]


@asynccontextmanager
async def company() -> AsyncIterator[Shown]:
    """An installation with a CRM that needs a person, and many proofs."""
    with TemporaryDirectory() as directory:
        storage = Path(directory, "storage")
        key = storage / "2026/01/20/a.mp3"
        key.parent.mkdir(parents=True)
        key.write_bytes(sound())
        listening = StorageReader(recordings.Storage.open(storage))
        async with a_world(Path(directory), listening=listening) as world:
            call = await fill(world)
            async with served(world.app) as address:
                paths = {"receiver": "/receivers/sales", "attribution": f"/calls/{call.id}"}
                yield Shown(address=address, paths={**COMPANY, **paths})


@asynccontextmanager
async def month() -> AsyncIterator[Shown]:
    """An installation with the demo's month."""
    with TemporaryDirectory() as directory:
        async with pictured_month(Path(directory)) as shown:
            paths = {
                "call": f"/calls/{shown.call}",
                "sample": f"/samples/{shown.sample}",
                "dispute": f"/scores/{shown.score}",
            }
            yield Shown(address=shown.address, paths={**MONTH, **paths})


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
    if await page.locator("[data-player]").count():
        await page.locator(".controls:not([hidden])").first.wait_for()
    tall = await page.evaluate("document.documentElement.scrollHeight")
    wide = await page.evaluate("document.documentElement.clientWidth")
    clip = FloatRect(x=0, y=0, width=wide, height=min(tall, most))
    await page.screenshot(path=file, full_page=True, clip=clip, animations="disabled")


async def _documentation(browser: Browser, shown: Shown) -> None:
    DOCS.mkdir(exist_ok=True)
    context = await _context(browser, WIDE, "en-GB", "light")
    page = await _log_in(context, shown.address)
    for name in shown.paths.keys() & DOCUMENTED.keys():
        file = DOCS / f"{name}.png"
        await _picture(page, shown.address, shown.paths[name], file, DOCUMENTED[name])
        _reduce(file)


def _reduce(file: Path) -> None:
    """Write the picture with fewer colours: it needs a third of the bytes."""
    palette = f"split[a][b];[a]palettegen=max_colors={MOST_COLOURS}[p];[b][p]paletteuse=dither=none"
    reduced = file.with_suffix(".reduced.png")
    options = ("-vf", palette, "-compression_level", "100", "-loglevel", "error", "-y")
    subprocess.run(["ffmpeg", "-i", file, *options, reduced], check=True)
    reduced.replace(file)


async def _everything(browser: Browser, shown: Shown, directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for width, locale, scheme in product((WIDE, NARROW), ("en-GB", "ru-RU"), ("light", "dark")):
        context = await _context(browser, width, locale, scheme)
        ending = f"{locale[:2]}-{width}-{scheme}.png"
        front = await context.new_page()
        await _picture(front, shown.address, "/login", directory / f"login-{ending}")
        page = await _log_in(context, shown.address)
        for name, path in shown.paths.items():
            await _picture(page, shown.address, path, directory / f"{name}-{ending}")
            await _say_what_overflows(page, f"{name}-{ending}")
        await context.close()


async def _say_what_overflows(page: Page, name: str) -> None:
    wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if wide > 0:
        sys.stdout.write(f"{name} is {wide} points wider than the screen\n")


async def _context(browser: Browser, width: int, locale: str, scheme: Any) -> BrowserContext:
    return await browser.new_context(
        viewport={"width": width, "height": 800},
        locale=locale,
        color_scheme=scheme,
        timezone_id="Europe/Moscow",
    )


async def main(directory: Path | None) -> None:
    """Write the pictures."""
    chromium = shutil.which("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for installation in (month, company):
            async with installation() as shown:
                if directory:
                    await _everything(browser, shown, directory)
                else:
                    await _documentation(browser, shown)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if sys.argv[1:] else None))
