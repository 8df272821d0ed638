"""What changes on live pages, as counters: one query every half second for all listeners."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from router.service.calls.missed_tasks import count_waiting
from router.service.clock import Clock
from router.service.ports import Store
from router.web.live import INTERVAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """Counters that grow with each change, and how many callers wait for a call back."""

    calls: int
    missed: int
    waiting: int


class Ticks:
    """Reads the counters for all listeners."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._turn = asyncio.Lock()
        self._last: Tick | None = None
        self._looked_at = float("-inf")
        self._over = asyncio.Event()

    def close(self) -> None:
        """End every stream, because the server stops; browsers reconnect."""
        self._over.set()

    async def now(self) -> Tick:
        """The counters, at most half a second old."""
        return await asyncio.shield(self._read())

    async def follow(self) -> AsyncIterator[Tick]:
        """The counters every half second, until closed."""
        while not self._over.is_set():
            yield await self.now()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), INTERVAL)

    async def _read(self) -> Tick:
        async with self._turn:
            if self._last is None or time.monotonic() - self._looked_at >= INTERVAL:
                self._last = await self._look()
                self._looked_at = time.monotonic()
            return self._last

    async def _look(self) -> Tick:
        async with self._store.read() as session:
            calls, missed = await session.calls.revision(), await session.missed.revision()
        if self._last is not None and self._last.missed == missed:
            return Tick(calls=calls, missed=missed, waiting=self._last.waiting)
        waiting = await count_waiting(self._store, self._clock())
        return Tick(calls=calls, missed=missed, waiting=waiting)
