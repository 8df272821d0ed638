"""Limits for connections that have not sent a complete request, and for their number. A reverse
proxy does the same, but not every installation has one.
"""

import asyncio
import heapq
import logging
import resource
import time
from collections.abc import Iterable
from typing import Any

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

log = structlog.get_logger(__name__)

HEAD_BYTES = 32 * 1024  # request line and headers; browsers send 1 to 4 kB
MOST_HEADERS = 200  # browsers send 15 to 30, a chain of proxies adds ten
FRAMING_BYTES = 256 * 1024  # of a chunked body: sizes, extensions and trailers
HEAD_SECONDS = 10.0  # from the connection, or from the first byte of a further request
BODY_SECONDS = 120.0  # 5 MB over a line of 400 kbit/s
HELD_BYTES = 64 * 1024 * 1024  # of all bodies together that are not whole yet
MOST_PIPELINED = 16  # requests sent before the answer to the one before; browsers send none so
MOST_CONNECTIONS = 8000
TOO_LARGE = b"431 Request Header Fields Too Large"
OTHER_DESCRIPTORS = 200  # of the process: database, recordings, log, libraries


def most_connections() -> int:
    """How many connections this process accepts: by its limit of open files, which is raised
    first.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + OTHER_DESCRIPTORS
    if hard == resource.RLIM_INFINITY:
        allowed = wanted
    else:
        allowed = min(wanted, hard)

    if allowed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return max(min(max(allowed, soft) - OTHER_DESCRIPTORS, MOST_CONNECTIONS), 1)


class LimitedConnection(HttpToolsProtocol):
    """uvicorn's protocol with limits on heads, bodies, the time to send a request, and the number
    of connections.
    """

    most = MOST_CONNECTIONS
    held_bytes = 0  # of all connections' bodies that are not whole yet

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.waiting_since: float | None = 0.0  # None while a request is being answered
        self.body_bytes = 0  # of a body that is not whole yet
        self._other_bytes = 0  # head or framing of the request that is coming in
        self._head_complete = False
        self._answering: RequestResponseCycle | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept a connection; if there are too many, close the longest idle ones."""
        super().connection_made(transport)
        self._wait(HEAD_SECONDS)
        if len(self.connections) > self.most:
            _warn("web.too_many_connections", most=self.most)
            self._close_longest_waiting(self.most // 100 + 1)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer and the body with the connection, and stop the answer that is under
        way.
        """
        self._stop_timer()
        self._release_body()
        super().connection_lost(exc)
        # uvicorn looks at the newest request alone; an older one may be the one that is being
        # answered
        if self._answering is not None and not self._answering.response_complete:
            self._answering.disconnected = True
            self._answering.message_event.set()

    def data_received(self, data: bytes) -> None:
        """Feed the parser, as long as the head and the framing of the body stay within their
        size.
        """
        if self.transport.is_closing():
            return
        if self._deadline is None and self.waiting_since is not None:
            self._wait(HEAD_SECONDS)  # the first byte of a further request
        self._other_bytes += len(data)
        super().data_received(data)
        most = HEAD_BYTES
        if self._head_complete:
            most = FRAMING_BYTES

        if self._other_bytes > most and not self.transport.is_closing():
            self._refuse("the head is too large")

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._head_complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header. Trailers, which come after a chunked body, are not used here."""
        if not self._head_complete:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is there; the body has a time of its own."""
        size = sum(len(name) + len(value) for name, value in self.headers) + len(self.url)
        self._head_complete, self._other_bytes = True, 0

        if size > HEAD_BYTES or len(self.headers) > MOST_HEADERS:
            self._end("the head is too large")
        if sum(name == b"host" for name, _ in self.headers) > 1:
            self._end("there are several Host headers", b"400 Bad Request")
        if len(self.pipeline) >= MOST_PIPELINED:
            self._end("too many requests at once")

        self._wait(BODY_SECONDS)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count a part of the body; when all bodies together are too large, the largest is given
        up.
        """
        self._other_bytes -= len(body)
        super().on_body(body)
        if self.cycle.response_complete:  # uvicorn keeps nothing of it
            return

        self.body_bytes += len(body)
        LimitedConnection.held_bytes += len(body)
        if LimitedConnection.held_bytes > HELD_BYTES:
            _warn("web.too_large_bodies", most=HELD_BYTES)
            _give_up(max(self._limited(), key=lambda connection: connection.body_bytes))

    def on_message_complete(self) -> None:
        """The request is whole: how long the answer takes is our own affair."""
        super().on_message_complete()
        self._release_body()
        self._other_bytes = 0

        if self.cycle.response_complete:  # it was answered without its body
            self._wait(HEAD_SECONDS)
        else:
            self._stop_timer()
            self.waiting_since = None

    def on_response_complete(self) -> None:
        """The connection waits for its next request; uvicorn closes it when none comes."""
        super().on_response_complete()
        if self.cycle.response_complete:
            self._release_body()  # the rest of a body that was not read is not kept
        if self._answering is None or self._answering.response_complete:
            self.waiting_since = self.loop.time()

    def pause_writing(self) -> None:
        """The reader takes nothing: such a connection may be closed when there are too many."""
        super().pause_writing()
        self.waiting_since = self.loop.time()

    def resume_writing(self) -> None:
        """The reader goes on."""
        super().resume_writing()
        if self._answering is not None and not self._answering.response_complete:
            self.waiting_since = None

    def send_400_response(self, msg: str) -> None:
        """Answer an unreadable request; a refused one already has its answer."""
        if not self.transport.is_closing():
            super().send_400_response(msg)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

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

    def _release_body(self) -> None:
        LimitedConnection.held_bytes -= self.body_bytes
        self.body_bytes = 0

    def _end(self, why: str, status: bytes = TOO_LARGE) -> None:
        self._refuse(why, status)
        raise ValueError(why)  # ends the parsing of this connection

    def _refuse(self, why: str, status: bytes = TOO_LARGE) -> None:
        _warn("web.connection_refused", reason=why, address=self.client[0] if self.client else None)
        text = b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        if self._answering is None or self._answering.response_complete:
            self.transport.write(text)
        self.transport.close()

    def _limited(self) -> Iterable["LimitedConnection"]:
        return (
            connection
            for connection in self.connections
            if isinstance(connection, LimitedConnection)
        )

    def _close_longest_waiting(self, count: int) -> None:
        waiting = (
            connection for connection in self._limited() if connection.waiting_since is not None
        )

        for longest in heapq.nsmallest(
            count, waiting, key=lambda connection: connection.waiting_since or 0.0
        ):
            _give_up(longest)


def _give_up(connection: LimitedConnection) -> None:
    connection.connections.discard(connection)
    connection._release_body()
    connection.transport.abort()


class Seldom(logging.Filter):
    """Passes each warning of uvicorn once a minute, because clients can cause them at any rate."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Errors pass, with their traceback."""
        return record.levelno != logging.WARNING or _is_due(str(record.msg))


_said_at: dict[str, float] = {}


def _warn(event: str, **facts: Any) -> None:
    if _is_due(event):
        log.warning(event, **facts)


def _is_due(sentence: str) -> bool:
    now = time.monotonic()
    due = now - _said_at.get(sentence, float("-inf")) >= 60
    if due:
        _said_at[sentence] = now
    return due
