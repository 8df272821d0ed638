"""What holds for every request and answer: how large a body may be, and what browsers may do with an answer.

Written against ASGI itself, so that a body is counted while it comes in and live pages are never buffered.
"""

import secrets

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEGABYTE = 1 << 20
LARGEST_BODY = MEGABYTE
LARGEST_IMPORT = 5 * MEGABYTE
IMPORT_PATH = "/api/numbers/import"

# The waveform draws itself in a shadow tree with a style element of its own: the nonce is for that one alone.
POLICY = (
    "default-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


class BodyLimit:
    """Refuses bodies over the limit with 413, by their announced length or by counting."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a counting `receive`."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = LARGEST_IMPORT if scope["path"] == IMPORT_PATH else LARGEST_BODY
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        received = int(announced) if announced.isdigit() and int(announced) > limit else 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(413, f"A request here has at most {limit // MEGABYTE} MB.")
            return message

        await self._app(scope, counted, send)


class AnswerHeaders:
    """Adds the security headers, and the CORS headers that a route has asked for in `request.state.cors`."""

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
                headers = MutableHeaders(scope=message)
                headers.update(state.get("cors") or {"Cross-Origin-Resource-Policy": "same-origin"})
                headers["Content-Security-Policy"] = POLICY.format(nonce=state["nonce"])
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
                headers.setdefault("Cache-Control", "no-store")  # pages and answers speak of people
            await send(message)

        await self._app(scope, receive, completed)
