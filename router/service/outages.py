"""Says once that something went down, and once that it is back; keeps work going that a fault of
ours broke.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

log = structlog.get_logger()

FAULT_PAUSE = 5.0  # seconds after a fault of ours, before the same work is tried again


async def keep_running(name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run `work` and start it again after an exception: one part that breaks must not end its
    process.
    """
    while True:
        try:
            await work()
        except Exception:
            log.exception("part_broke", part=name)
        await asyncio.sleep(FAULT_PAUSE)


class Outages:
    """What is down at the moment."""

    def __init__(self) -> None:
        self._down: set[str] = set()

    def fell(self, what: str, reason: str) -> None:
        """`what` does not work now."""
        if what not in self._down:
            self._down.add(what)
            log.error(f"{what}_down", reason=reason)

    def back(self, what: str) -> None:
        """`what` works."""
        if what in self._down:
            self._down.discard(what)
            log.info(f"{what}_back")
