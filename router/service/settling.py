"""Keeps what was done although the database fell silent meanwhile: a delivery or a stored recording
must not be repeated because of that.
"""

import asyncio
from collections.abc import Awaitable, Callable

from router.errors import DatabaseUnavailable

AGAIN = 1.0  # seconds between attempts
PATIENCE = 900.0  # seconds; then the claim gives the work back, and it is done once more


async def keep_at_it(settle: Callable[[], Awaitable[None]], patience: float = PATIENCE) -> None:
    """Write an outcome, again and again while the database does not answer. Raises
    `DatabaseUnavailable` when it has not answered for `patience` seconds.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + patience  # not by the clock, which may be set meanwhile
    while True:
        try:
            return await settle()
        except DatabaseUnavailable:
            if loop.time() + AGAIN >= until:
                raise
        await asyncio.sleep(AGAIN)
