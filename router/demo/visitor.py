"""The demo's visitor: a new one, who comes to the company's page by an advertisement and sees a
number.

The page is the company's own, of another origin than Ringtrace's pages, and contains the script's
line. An installed browser opens it; without one, the demo sends the script's requests itself.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from secrets import randbelow
from typing import Any

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

from router.config import Settings
from router.demo.browser import USER_AGENT, Browser, browsing
from router.demo.waiting import DemoFailed, until
from router.domain.phone import display, parse_number

COMPANY_NUMBER = "+74951234567"  # the company number on the page
CLICK = "?utm_source=google&utm_medium=cpc&utm_campaign=autumn-sale&gclid=demo"
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Demo shop</title>
<link rel="icon" href="data:,"><script>document.cookie = "_ga=GA1.1.{client_id}; path=/";</script>
<script async src="{server}/site/demo.js"></script>
<h1>Demo shop</h1><p>Call us: <a href="tel:{company}">{shown}</a></p>
<script>
  const phone = document.querySelector("a");
  const tell = () => fetch("/shown", {{
    method: "POST", body: JSON.stringify({{ number: phone.textContent, visit_id: ringtrace.visit }}),
  }});
  new MutationObserver(tell).observe(phone, {{ subtree: true, childList: true, characterData: true }});
</script></html>"""  # noqa: E501


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The number that the visitor sees."""

    number: str  # E.164
    visit_id: str
    by: str  # the browser, or why none was used


@dataclass(slots=True)
class DemoVisitor:
    """A new visitor, with a phone that has never called. `server` is the address of Ringtrace's
    web process.
    """

    server: str
    page: str = ""  # its origin
    phone: str = field(default_factory=lambda: f"+7916{randbelow(10**7):07}")
    client_id: str = field(
        default_factory=lambda: f"{10**9 + randbelow(10**9)}.{1_700_000_000 + randbelow(10**7)}"
    )
    browser: Browser | None = None
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _fetched: bool = False
    _told: dict[str, Any] = field(default_factory=dict)

    def serve(self, app: FastAPI) -> None:
        """Add the company's page to a server."""
        app.add_api_route("/", self._show_page, methods=["GET"], response_class=HTMLResponse)
        app.add_api_route("/shown", self._take_shown, methods=["POST"], status_code=204)

    @asynccontextmanager
    async def on_the_way(self, settings: Settings) -> AsyncIterator[None]:
        """Start the browser while the system starts; the page answers once `look` is called."""
        async with browsing(self.page + "/" + CLICK, settings) as self.browser:
            try:
                yield
            finally:
                self._open.set()

    async def look(self) -> Shown:
        """The number on the page. Raises `DemoFailed` if the page keeps the company number."""
        self._open.set()
        if self.browser is None:
            return await self._ask(
                "no browser is installed: the script's part is played without one"
            )
        try:
            return await until(self._seen, "the page kept the company's own number")
        except DemoFailed:
            if self._fetched:
                raise
            return await self._ask(
                f"{self.browser.name} did not start: the script's part is played without it"
            )

    async def _seen(self) -> Shown | None:
        assert self.browser
        if self._told:
            number = parse_number(str(self._told["number"]), "RU")
            return Shown(number=number, visit_id=str(self._told["visit_id"]), by=self.browser.name)
        if self.browser.ended:
            raise DemoFailed(f"{self.browser.name} ended before the page showed a number")
        return None

    async def _show_page(self) -> str:
        self._fetched = True
        await self._open.wait()
        return _PAGE.format(
            client_id=self.client_id,
            server=self.server,
            company=COMPANY_NUMBER,
            shown=display(COMPANY_NUMBER),
        )

    async def _take_shown(self, request: Request) -> None:
        self._told = await request.json()

    async def _ask(self, why: str) -> Shown:
        """Request a number as the page's script does."""
        page = {
            "url": f"{self.page}/{CLICK}",
            "ga_client_id": self.client_id,
            "pools": ["demo-pool"],
            "consent": True,
        }
        headers = {"Origin": self.page, "User-Agent": USER_AGENT}
        async with httpx.AsyncClient(trust_env=False, headers=headers) as client:
            answer = await client.post(f"{self.server}/api/v1/sites/demo/visits", json=page)
        given = answer.json() if answer.is_success else {}
        number = given.get("numbers", {}).get("demo-pool", {}).get("number")
        if number is None:
            raise DemoFailed(f"No number was leased: {answer.status_code} {answer.text[:200]}")
        return Shown(number=number, visit_id=given["visit_id"], by=why)
