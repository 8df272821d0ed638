"""Removes old rows that no call needs, in small batches."""

import asyncio
from datetime import datetime, timedelta

import structlog

from router.domain.ids import earliest
from router.errors import DatabaseUnavailable
from router.service.clock import Clock, StepWatch
from router.service.ports import Store

log = structlog.get_logger()

AGED = (
    "mail",
    "delivery",
    "rejected_row",
    "refused_origin",
    "unchanged_page",
    "on_hold",
    "pressed_key",
    "call_back",
    "listening",
    "route_request",
    "heartbeat",
)
BY_KEY = ("page_view", "tap", "form", "fallback", "lease", "visit", "visitor")
# A site's training counts the visits and leases of its calls' 90 days, and of 30 days before.
LEAST = {name: timedelta(days=120) for name in ("lease", "visit", "visitor")}
AT_ONCE = 200  # rows of one transaction
PAUSE = 0.2  # seconds between two of them
EVERY = 86_400.0  # seconds between two passes


async def remove_old(store: Store, now: datetime, days: int, pause: float = PAUSE) -> int:
    """Remove everything older than this many days once; returns the number of rows removed or
    emptied. Referring rows are removed first.
    """
    removed = await _remove_aged(store, "login_session", now, pause)  # expired ones
    before = now - timedelta(days=days)
    for name in AGED:
        removed += await _remove_aged(store, name, before, pause)
    for name in BY_KEY:
        bound = min(before, now - LEAST.get(name, timedelta()))
        removed += await _remove_by_key(store, name, bound, pause)
    return removed


async def _remove_aged(store: Store, name: str, before: datetime, pause: float) -> int:
    removed, gone = 0, AT_ONCE
    while gone >= AT_ONCE:
        async with store.write() as session:
            gone = await session.retention.remove_aged(name, before, AT_ONCE)
        removed += gone
        await asyncio.sleep(pause)
    return removed


async def _remove_by_key(store: Store, name: str, before: datetime, pause: float) -> int:
    bound = earliest(before)
    removed = 0
    after: str | None = ""
    while after is not None:
        async with store.write() as session:
            after, gone = await session.retention.remove_old(name, after, bound, AT_ONCE, before)
        removed += gone
        await asyncio.sleep(pause)
    return removed


async def keep_for(store: Store, clock: Clock, days: int) -> None:
    """Remove old rows daily. Never returns. After a day in which the clock was set forward by more
    than a day nothing is removed: by the right clock it may not be old.
    """
    steps = StepWatch(clock)
    while True:
        step = steps.look()
        if step and step.ahead > timedelta(days=1):
            log.warning("old_rows_not_removed", reason=f"the clock was set forward by {step.ahead}")
            await asyncio.sleep(EVERY)
            continue
        try:
            removed = await remove_old(store, clock(), days)
            log.info("old_rows_removed", rows=removed, days=days)
        except DatabaseUnavailable as error:
            log.warning("old_rows_not_removed", reason=error.message)
        await asyncio.sleep(EVERY)
