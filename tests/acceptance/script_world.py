"""A company's web site and a Ringtrace in front of it that answers as badly as a test asks.

The real endpoints are tried in the test from page to call; here is what they never do: die in
the middle, answer late, talk nonsense. Pages and server have different origins, as they have in the
world.
"""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from router.domain.page_spelling import parts
from router.domain.phone import display
from router.domain.visitors.site import Pool, Site, SourceRule
from router.web.script import BUNDLE, configuration, snippet, written

OWN = "+74951234567"
OWN_SALES = "+78001234567"
LEASED = "+74957770001"
NEXT = "+74957770002"
STATIC = "+74957770009"  # shown without a lease
NOW = datetime(2026, 1, 20, tzinfo=UTC)


SCRIPT_HEADERS = {"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=300"}
NONSENSE = {
    "visit_id": ["?"],
    "alive_seconds": "soon",
    "code": 7,
    "mail": {},
    "numbers": {"visitors": {"lease_id": 3, "number": "<img src=x>", "display": 5}, "x": None},
}


class Mood(StrEnum):
    """How the server answers."""

    WELL = "well"
    SLOW = "slow"  # not before it is let go on
    NONSENSE = "nonsense"
    HTML = "html"
    BROKEN = "broken"
    EMPTY = "empty"
    FORGETFUL = "forgetful"  # knows no visit any more, though it begins new ones


@dataclass(frozen=True, slots=True)
class Heard:
    """One request of the script."""

    what: str  # visits · numbers · alive · tap · form · left
    body: dict[str, Any]
    key: str | None = None  # of a tap or form
    at: float = field(default_factory=time.monotonic)


def a_pool(name: str = "visitors", **more: Any) -> Pool:
    """A pool that replaces the company's number."""
    return Pool(
        **{"id": name, "site_id": "shop", "name": name, "replaces": (OWN,), "created_at": NOW}
        | more
    )


@dataclass
class Company:
    """A company's pages, and the server that their script comes from."""

    pools: list[Pool] = field(default_factory=lambda: [a_pool()])
    exclude: str = ""
    rules: tuple[SourceRule, ...] = ()
    consent: bool = False
    mood: Mood = Mood.WELL
    alive_seconds: int = 60
    hold_seconds: int | None = None  # None: the server does not say it
    # a pool that is not among them is not for this visitor, and left out of the answer
    numbers: dict[str, str | None] = field(default_factory=lambda: {"visitors": LEASED})
    # what the next sign of life is answered
    news: dict[str, str | None] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    pages: dict[str, str] = field(default_factory=dict)
    # pages answered when these are set
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    policy: str = ""  # Content-Security-Policy of the pages; {server} is the server's origin
    server: str = ""
    address: str = ""
    stop_server: Callable[[], Awaitable[None]] | None = None
    let_go: asyncio.Event = field(default_factory=asyncio.Event)  # of a slow server

    def said(self, what: str) -> list[dict[str, Any]]:
        """The bodies of the requests of one kind."""
        return [heard.body for heard in self.heard if heard.what == what]

    def snippet(self) -> str:
        """The line as the guide has it."""
        return snippet(self.server, "shop")

    def page(self, body: str, head: str = "", path: str = "/", line: str | None = None) -> str:
        """Put a page on the site; its address."""
        line = (
            line
            if line is not None
            else f'<script async src="{self.server}/site/shop.js"></script>'
        )
        self.pages[path] = (
            '<!doctype html><html lang="ru"><meta charset="utf-8"><link rel="icon" '
            f'href="data:,">{head}{line}'
            f"<body>{body}</body></html>"
        )
        return self.address + path

    async def answer_page(self, request: Request) -> Response:
        if held := self.held.get(request.url.path):
            await held.wait()
        headers = (
            {"Content-Security-Policy": self.policy.format(server=self.server)}
            if self.policy
            else {}
        )
        if request.url.path.endswith(".js") and request.url.path in self.pages:
            return Response(
                self.pages[request.url.path], media_type="text/javascript", headers=headers
            )
        if request.url.path.endswith(".xhtml"):
            return Response(self.pages[request.url.path], media_type="application/xhtml+xml")
        if request.url.path in self.pages:
            return HTMLResponse(self.pages[request.url.path], headers=headers)
        return Response(status_code=404)

    async def answer_script(self, _: Request | None) -> Response:
        site = Site(
            id="shop",
            name="Shop",
            exclude=self.exclude,
            consent=self.consent,
            source_rules=self.rules,
            created_at=NOW,
        )
        text = (
            BUNDLE.read_text().rstrip()
            + f"({written(configuration(site, self.pools, self.server))});"
        )
        return Response(text, media_type="text/javascript", headers=SCRIPT_HEADERS)

    async def answer_api(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            asked = request.headers["access-control-request-headers"]
            allowed = {
                "Access-Control-Allow-Headers": asked,
                "Access-Control-Allow-Credentials": "true",
            }
            return Response(
                headers=allowed | {"Access-Control-Allow-Origin": request.headers["origin"]}
            )
        body = json.loads(await request.body())
        what = request.url.path.rpartition("/")[2]
        self.heard.append(Heard(what, body, body.pop("key", None)))
        answer = await self._answer(what, body)
        answer.headers["Access-Control-Allow-Origin"] = request.headers.get("origin", "*")
        answer.headers["Access-Control-Allow-Credentials"] = "true"
        return answer

    async def _answer(self, what: str, body: dict[str, Any]) -> Response:
        match self.mood:
            case Mood.SLOW:
                await self.let_go.wait()
            case Mood.NONSENSE:
                return JSONResponse(NONSENSE)
            case Mood.HTML:
                return HTMLResponse("<h1>502</h1>")
            case Mood.BROKEN:
                return PlainTextResponse("no", status_code=500)
            case Mood.FORGETFUL if what not in {"visits", "left"}:
                self.mood = Mood.WELL
                return JSONResponse({"error": "not_found"}, status_code=404)
        if what in {"tap", "form", "left"}:
            return Response(status_code=204)
        if what == "alive":
            news, self.news = self.news, {}
            return JSONResponse(
                {"numbers": {pool: self._number(number) for pool, number in news.items()}}
            )
        numbers = {
            pool: self._number(self.numbers[pool]) for pool in body["pools"] if pool in self.numbers
        }
        if what == "numbers":
            return JSONResponse({"numbers": numbers})
        kept = body["consent"]
        return JSONResponse(
            {
                "visitor_id": "visitor-1" if kept else None,
                "visit_id": f"visit-{len(self.said('visits'))}" if kept else None,
                "code": "417" if kept else None,
                "mail": "info+417@shop.example" if kept else None,
                "numbers": numbers,
                "alive_seconds": self.alive_seconds,
            }
            | ({"hold_seconds": self.hold_seconds} if self.hold_seconds else {})
        )

    def _number(self, number: str | None) -> dict[str, Any]:
        if number is None or self.mood is Mood.EMPTY:
            return {"lease_id": None, "number": None, "display": None, "level": "own"}
        lease = None if number == STATIC else f"lease-{number[-1]}"
        level = "dynamic" if lease else "static"
        about = {"display": display(number), "parts": asdict(parts(number))}
        return {"lease_id": lease, "number": number, "level": level, **about}


@asynccontextmanager
async def open_for_business(company: Company) -> AsyncIterator[Company]:
    """Serve the company's pages and its server, each on a free port."""
    pages = Starlette(routes=[Route("/{path:path}", company.answer_page)])
    server = Starlette(
        routes=[
            Route("/site/shop.js", company.answer_script),
            Route("/api/v1/{path:path}", company.answer_api, methods=["POST", "OPTIONS"]),
        ]
    )
    async with (
        _up(pages) as (company.address, _),
        _up(server) as (company.server, company.stop_server),
    ):
        yield company


@asynccontextmanager
async def _up(app: Starlette) -> AsyncIterator[tuple[str, Callable[[], Awaitable[None]]]]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1, lifespan="off")
    )
    task = asyncio.create_task(server.serve([listening]))

    async def stop() -> None:
        server.should_exit = True
        await task
        listening.close()

    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", stop
    finally:
        await stop()
