"""Waits for events of the demo, with a time limit and an error that names the missing event."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from router.errors import RingtraceError

Found = TypeVar("Found")

PATIENCE = 120.0  # seconds that each event may take; a busy machine needs more than a moment


class DemoFailed(RingtraceError):
    """The demo's call did not work."""


async def until(
    look: Callable[[], Awaitable[Found | None]],
    complaint: str,
    alive: asyncio.Task[None] | None = None,
) -> Found:
    """Call `look` until it finds something. Raises `DemoFailed`, at once if `alive` has ended."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE
    while loop.time() < deadline:
        if found := await look():
            return found
        if alive is not None and alive.done():
            await alive
        await asyncio.sleep(0.1)
    raise DemoFailed(f"{complaint} within {PATIENCE:.0f} s")


async def after(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    """Do it after a delay."""
    await asyncio.sleep(seconds)
    await work()
