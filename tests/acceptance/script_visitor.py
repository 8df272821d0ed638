"""A visitor of the company's web site, in the system's Chromium."""

import asyncio
import contextlib
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.acceptance.script_world import Company

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


PATIENCE = 180.0  # seconds for what takes a moment where the machine has nothing else to do


HTML = "selector => document.querySelector(selector).innerHTML"
HTMLS = "selectors => selectors.map(selector => document.querySelector(selector).innerHTML)"
TEXTS = "selectors => selectors.map(selector => document.querySelector(selector).textContent)"
HREFS = "[...document.querySelectorAll('a')].map(link => link.getAttribute('href'))"


@dataclass
class Visitor:
    """A browser on the company's page, and everything there that an owner would not want to see."""

    company: Company
    page: Page
    wrongs: list[str] = field(default_factory=list)
    # what the browser itself says of requests that failed
    network: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Note errors of scripts, breaches of policies and words in the console."""
        self.page.on("pageerror", lambda error: self.wrongs.append(f"script: {error}"))
        self.page.on("console", lambda said: self._said(said.text))

    def _said(self, text: str) -> None:
        (self.network if text.startswith("Failed to load resource") else self.wrongs).append(text)

    async def opens(self, body: str, query: str = "", **more: str) -> None:
        """Open a page with this body."""
        await self.page.goto(self.company.page(body, **more) + query)

    async def text(self, selector: str = "body") -> str:
        """What an element says, its spaces as they are."""
        return str(await self.page.evaluate("s => document.querySelector(s).textContent", selector))

    async def until(self, expression: str) -> None:
        """Wait until the page says yes. Asked from outside: the page's policy may forbid evaluating
        text in it.
        """
        async with asyncio.timeout(PATIENCE):
            while not await self.page.evaluate(expression):
                await asyncio.sleep(0.02)

    async def gives(self, expression: str, wanted: Any, about: Any = None) -> None:
        """Wait until an expression, or a function of `about`, has this value: one part of a page
        may change later than another.
        """
        found: Any = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while (found := await self.page.evaluate(expression, about)) != wanted:
                    await asyncio.sleep(0.02)
        assert found == wanted

    async def heard(self, what: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until the server heard this so often; the bodies."""
        async with asyncio.timeout(PATIENCE):
            while len(self.company.said(what)) < count:
                await asyncio.sleep(0.02)
        return self.company.said(what)

    async def shows(self, text: str, selector: str = "body") -> None:
        """Wait until an element says it."""
        try:
            await self.until(
                f"document.querySelector({json.dumps(selector)})?.textContent.includes({json.dumps(text)})"
            )
        except TimeoutError:
            raise AssertionError(f"{text!r} is not in {await self.text(selector)!r}") from None


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The system's Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=FLAGS, timeout=PATIENCE * 1000
        )
        yield browser
        await close(browser)


async def new_context(browser: Browser, **options: Any) -> BrowserContext:
    """A browser of someone's own, which waits as long as a busy machine may take."""
    context = await browser.new_context(**options)
    context.set_default_timeout(PATIENCE * 1000)
    return context


async def close(what: Browser | BrowserContext) -> None:
    """Close it. Chromium sometimes never answers for a page that is on its way to another address;
    then it is left to the end of the process.
    """
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(what.close(), 60)


@asynccontextmanager
async def visiting(company: Company, browser: Browser, **more: Any) -> AsyncIterator[Visitor]:
    """Someone with a browser of their own; at the end nothing wrong may have been seen."""
    context = await new_context(browser, viewport={"width": 1200, "height": 800}, **more)
    visitor = Visitor(company, await context.new_page())
    visitor.watch()
    yield visitor
    with contextlib.suppress(Exception):
        await close(context)
    assert visitor.wrongs == []
