"""How long the demo waits for things to happen, and what it says when they do not."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from router.errors import RingtraceError

Found = TypeVar("Found")

PATIENCE = 25.0  # seconds for each thing that has to happen


class DemoFailed(RingtraceError):
    """The demo's call did not happen as it should."""


async def until(
    look: Callable[[], Awaitable[Found | None]],
    complaint: str,
    alive: asyncio.Task[None] | None = None,
) -> Found:
    """Look again and again until something is found. Raises `DemoFailed`; at once when `alive` has
    ended.
    """
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
    """Do it a little later."""
    await asyncio.sleep(seconds)
    await work()
