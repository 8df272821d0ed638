"""Bounds for what a connection may cost before it has sent a whole request, and for how many there may be.

A web server in front of us bounds the same, but not every installation has one.
"""

import asyncio
import resource
from typing import Any

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

log = structlog.get_logger(__name__)

HEAD_BYTES = 32 * 1024  # request line and headers; browsers send 1 to 4 kB
HEAD_SECONDS = 10.0  # from the connection, or from the first byte of a further request
BODY_SECONDS = 120.0  # 5 MB over a line of 400 kbit/s
MOST_CONNECTIONS = 8000
OTHER_DESCRIPTORS = 200  # of the process: database, recordings, log, libraries


def most_connections() -> int:
    """How many connections this process keeps: what its limit of open files leaves, after raising that limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + OTHER_DESCRIPTORS
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if allowed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return max(min(max(allowed, soft) - OTHER_DESCRIPTORS, MOST_CONNECTIONS), 1)


class LimitedConnection(HttpToolsProtocol):
    """uvicorn's protocol with limits on the head, on the time to send a request, and on the number of connections."""

    most = MOST_CONNECTIONS

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.waiting_since: float | None = 0.0  # None while a request is being answered
        self._head_bytes = 0
        self._head_complete = False
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection; when there are too many, the one that has waited longest is closed."""
        super().connection_made(transport)
        self._wait(HEAD_SECONDS)
        if len(self.connections) > self.most:
            self._close_longest_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer with the connection."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, as long as the head stays within its size."""
        if self.transport.is_closing():
            return
        if self._deadline is None and self.waiting_since is not None:
            self._wait(HEAD_SECONDS)  # the first byte of a further request
        self._head_bytes += len(data)
        super().data_received(data)
        if not self._head_complete and self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
            self._refuse("the head is too large")

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._head_complete = False

    def on_headers_complete(self) -> None:
        """The head is there; the body has a time of its own."""
        size = sum(len(name) + len(value) for name, value in self.headers) + len(self.url)
        if size > HEAD_BYTES:
            self._head_complete = True
            self._refuse("the head is too large")
            raise ValueError("the head is too large")  # ends the parsing of this connection
        self._head_complete, self._head_bytes = True, 0
        self._wait(BODY_SECONDS)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole: how long the answer takes is our own affair."""
        self._stop_timer()
        self.waiting_since = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The connection waits for its next request; uvicorn closes it when none comes."""
        super().on_response_complete()
        self.waiting_since, self._head_bytes = self.loop.time(), 0

    def pause_writing(self) -> None:
        """The reader takes nothing: such a connection may be closed when there are too many."""
        super().pause_writing()
        self.waiting_since = self.loop.time()

    def resume_writing(self) -> None:
        """The reader goes on."""
        super().resume_writing()
        if self.cycle is not None and not self.cycle.response_complete:
            self.waiting_since = None

    def send_400_response(self, msg: str) -> None:
        """Answer a request that cannot be read; one that was refused has its answer already."""
        if not self.transport.is_closing():
            super().send_400_response(msg)

    def _wait(self, seconds: float) -> None:
        self._stop_timer()
        self.waiting_since = self.loop.time()
        self._deadline = self.loop.call_later(seconds, self._too_slow)

    def _stop_timer(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        self.transport.abort()

    def _refuse(self, why: str) -> None:
        log.info("web.connection_refused", reason=why, address=self.client[0] if self.client else None)
        text = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        self.transport.write(text)
        self.transport.close()

    def _close_longest_waiting(self) -> None:
        waiting = [
            connection
            for connection in self.connections
            if isinstance(connection, LimitedConnection) and connection.waiting_since is not None
        ]
        longest = min(waiting, key=lambda connection: connection.waiting_since or 0.0)
        _warn(self.most, self.loop.time())
        self.connections.discard(longest)
        longest.transport.abort()


_warned_at = float("-inf")


def _warn(most: int, now: float) -> None:
    """Say it once a minute: whoever opens thousands of connections should not fill the log as well."""
    global _warned_at
    if now - _warned_at >= 60:
        _warned_at = now
        log.warning("web.too_many_connections", most=most)
