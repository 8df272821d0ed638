"""Logs once when something goes down and once when it is back; restarts work after a bug."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

log = structlog.get_logger()

FAULT_PAUSE = 5.0  # seconds after a bug, before the work is restarted


async def keep_running(name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run `work` and restart it after an exception, so that one broken part does not end the
    process.
    """
    while True:
        try:
            await work()
        except Exception:
            log.exception("part_broke", part=name)
        await asyncio.sleep(FAULT_PAUSE)


class Outages:
    """What is down now."""

    def __init__(self) -> None:
        self._down: set[str] = set()

    def fell(self, what: str, reason: str) -> None:
        """`what` went down."""
        if what not in self._down:
            self._down.add(what)
            log.error(f"{what}_down", reason=reason)

    def back(self, what: str) -> None:
        """`what` is back."""
        if what in self._down:
            self._down.discard(what)
            log.info(f"{what}_back")
