"""Live updates: one query every half second, however many pages are open, and none without
listeners: one listener polls for all. Recent changes are kept, so that each listener gets those
after its last revision.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator

from fastapi.sse import ServerSentEvent

from router.service.calls.browse import CallLine, changes_since
from router.service.ports import Store

INTERVAL = 0.5  # seconds between queries
KEPT = 1000  # changes; listeners further behind query the store
OPEN = ServerSentEvent(comment="open")  # the browser learns at once that the stream is there


class Feed:
    """Distributes changed calls, oldest change first, to all listeners."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._turn = asyncio.Lock()
        self._recent: deque[CallLine] = deque(maxlen=KEPT)
        self._floor = 0  # every change after this revision, up to `_reached`, is in `_recent`
        self._reached = 0
        self._looked_at = float("-inf")
        self._over = asyncio.Event()

    def close(self) -> None:
        """End every stream, because the server stops; browsers reconnect."""
        self._over.set()

    async def follow(self, revision: int) -> AsyncIterator[list[CallLine]]:
        """Yield the calls changed after `revision`, until closed; an empty list after half a second
        without any.
        """
        # a listener who leaves is cancelled: what the store does for all must not be cut off with
        # them
        # the database may have been restored since
        revision = min(revision, await asyncio.shield(self._newest()))
        while not self._over.is_set():
            lines = await asyncio.shield(self._news(revision))
            revision = max((line.call.revision for line in lines), default=revision)
            yield lines
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), INTERVAL)

    async def changes(self, revision: int) -> tuple[int, list[CallLine]]:
        """The calls changed after `revision`, or a first part of them, and the revision reached."""
        newest = await asyncio.shield(self._newest())
        revision = min(revision, newest)  # the database may have been restored since
        lines = await asyncio.shield(self._news(revision, newest))
        return max((line.call.revision for line in lines), default=revision), lines

    async def start(self, revision: int) -> int:
        """Where a stream starts: at `revision`, or at the newest change if it is too far behind."""
        async with self._store.read() as session:
            missed = await session.calls.count_newer(revision, KEPT + 1)
            if missed > KEPT:
                return await session.calls.revision()
            return revision

    async def _news(self, revision: int, newest: int = 0) -> list[CallLine]:
        """The calls changed after `revision`; at least those up to `newest` are looked at."""
        async with self._turn:
            if time.monotonic() - self._looked_at >= INTERVAL or self._reached < newest:
                await self._look()
            if revision < self._floor:
                return list((await changes_since(self._store, revision))[1])
            return [line for line in self._recent if line.call.revision > revision]

    async def _look(self) -> None:
        if (
            time.monotonic() - self._looked_at > 10 * INTERVAL
        ):  # there were no listeners for a while
            self._floor = self._reached = await self._newest()
            self._recent.clear()
        self._reached, lines = await changes_since(self._store, self._reached)
        for line in lines:
            if len(self._recent) == KEPT:
                self._floor = self._recent[0].call.revision
            self._recent.append(line)
        self._looked_at = time.monotonic()

    async def _newest(self) -> int:
        async with self._store.read() as session:
            return await session.calls.revision()


def event(name: str, data: str, *, id: int | None = None) -> ServerSentEvent:  # noqa: A002
    """One server-sent event; `data` is sent as it is."""
    return ServerSentEvent(event=name, raw_data=data, id=None if id is None else str(id))
