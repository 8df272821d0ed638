"""Removes what visitors wrote long ago and no call needs, in small batches that keep nobody
waiting.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from router.errors import DatabaseUnavailable
from router.service.ports import Store

log = structlog.get_logger()

TABLES = ("page_view", "tap", "form", "showing", "visit")
AT_ONCE = 200  # rows of one transaction
PAUSE = 0.2  # seconds between two of them
EVERY = 86_400.0  # seconds between two passes


async def remove_old(store: Store, before: datetime, pause: float = PAUSE) -> int:
    """Go through everything that is older than `before` once; how many rows were removed or
    emptied.
    """
    bound = f"{int(before.timestamp() * 1000):012x}"
    removed = 0
    for name in TABLES:
        after: str | None = ""
        while after is not None:
            async with store.write() as session:
                after, gone = await session.remove_old(name, after, bound, AT_ONCE)
            removed += gone
            await asyncio.sleep(pause)
    return removed


async def keep_for(store: Store, clock: Callable[[], datetime], days: int) -> None:
    """Remove each day what is older than so many days. Never returns."""
    while True:
        try:
            removed = await remove_old(store, clock() - timedelta(days=days))
            log.info("old_visits_removed", rows=removed, days=days)
        except DatabaseUnavailable as error:
            log.warning("old_visits_not_removed", reason=error.message)
        await asyncio.sleep(EVERY)
