"""Middleware for every request: body size limits and security headers. Plain ASGI, so that bodies
are counted while they arrive and live pages are not buffered.
"""

import asyncio
import re
import secrets

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from router.domain.paths import API

MEGABYTE = 1 << 20
LARGEST_BODY = MEGABYTE
LARGEST_IMPORT = 5 * MEGABYTE
# for our own pages: parsing time grows with the number of fields
LARGEST_FORM = MEGABYTE // 16
STATIC = "/static/"
IMPORT_PATH = f"{API}/numbers/import"
LIST_PATH = "/spam/import"  # a file on one of our pages

# The waveform draws itself in a shadow tree with a style element of its own: the nonce is for that
# one alone.
POLICY = (
    "default-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; object-src "
    "'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

ALWAYS = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"same-origin"))
OWN_PAGES = ((b"cross-origin-resource-policy", b"same-origin"),)
OTHERS_PAGES = (b"cross-origin-resource-policy", b"cross-origin")


_HEADERS = re.compile(r"[A-Za-z0-9-]{1,60}(, ?[A-Za-z0-9-]{1,60}){0,19}")


def let_pages(request: Request, origin: str, *, with_cookies: bool = False) -> None:
    """Allow pages of `origin`, or of `*`, to read this answer (CORS)."""
    headers = [(b"access-control-allow-origin", origin.encode("latin-1"))]
    if with_cookies:
        headers.append((b"access-control-allow-credentials", b"true"))

    headers.append(OTHERS_PAGES)
    if origin != "*":
        headers.append((b"vary", b"Origin"))

    request.state.cors = tuple(headers)


def _largest_body(path: str) -> int:
    if path == IMPORT_PATH:
        return LARGEST_IMPORT
    if path.startswith("/api/") or path == LIST_PATH:
        return LARGEST_BODY
    return LARGEST_FORM


def preflight(request: Request, methods: str) -> dict[str, str]:
    """CORS preflight: allow the requested headers, because other scripts may add some."""
    asked = request.headers.get("access-control-request-headers", "")
    return {
        "Access-Control-Allow-Methods": methods,
        "Access-Control-Allow-Headers": asked if _HEADERS.fullmatch(asked) else "content-type",
        "Access-Control-Max-Age": "7200",
        "Vary": "Access-Control-Request-Headers",
    }


class BodyLimit:
    """Refuses bodies over the limit with 413, by Content-Length or by counting."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a counting `receive`."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = _largest_body(scope["path"])
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        received = 0
        if announced.isdigit() and int(announced) > limit:
            received = int(announced)

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(413, f"A request here has at most {limit // 1024} kB.")
            return message

        await self._app(scope, counted, send)


class AnswerHeaders:
    """Adds security headers, and the CORS headers of `let_pages`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a `send` that completes the headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["nonce"] = secrets.token_urlsafe(12)

        async def completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message["headers"])
                if (
                    message["status"] == 200
                    and scope["path"].startswith(STATIC)
                    and scope["query_string"]
                ):
                    # by its digest
                    headers.append((b"cache-control", b"public, max-age=31536000, immutable"))
                if all(name != b"cache-control" for name, _ in headers):
                    # pages and answers contain personal data
                    headers.append((b"cache-control", b"no-store"))
                policy = POLICY.format(nonce=state["nonce"]).encode()
                headers += (
                    *(state.get("cors") or OWN_PAGES),
                    (b"content-security-policy", policy),
                    *ALWAYS,
                )
                message["headers"] = headers
            await send(message)

        await self._app(scope, receive, completed)


class StopsWhenAbandoned:
    """Cancels read requests whose client closed the connection; changes continue."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Work on the request and listen for the end of its connection at the same time."""
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        messages: asyncio.Queue[Message] = asyncio.Queue()
        answered = left = False

        async def noted(message: Message) -> None:
            nonlocal answered
            await send(message)
            answered = message["type"] == "http.response.body" and not message.get(
                "more_body", False
            )

        async def listen() -> None:
            nonlocal left
            # no route here reads more
            messages.put_nowait({"type": "http.request", "body": b"", "more_body": False})
            while (await receive())["type"] != "http.disconnect":
                pass
            messages.put_nowait({"type": "http.disconnect"})
            if not answered:
                left = True
                work.cancel()

        work = asyncio.ensure_future(self._app(scope, messages.get, noted))
        listening = asyncio.ensure_future(listen())
        try:
            await asyncio.wait({work})
        finally:
            listening.cancel()
            work.cancel()
            await asyncio.wait({work})
        if work.cancelled():
            return
        try:
            work.result()
        except ExceptionGroup:  # a stream that is cancelled while it sends
            if not left:
                raise
