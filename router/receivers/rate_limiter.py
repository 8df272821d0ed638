"""The rate limit of an account, shared by all processes."""

import asyncio

from router.domain.delivery.codes import SettingCode
from router.domain.delivery.connection import reserve
from router.errors import DatabaseUnavailable
from router.service.clock import Clock
from router.service.delivery.outcomes import ReceiverUnavailable
from router.service.ports import Store


class RateLimiter:
    """Rate limiter of an account, shared by all processes."""

    def __init__(
        self,
        store: Store,
        receiver_id: str,
        per_second: float,
        burst: int,
        clock: Clock,
    ) -> None:
        self._store, self._receiver_id, self._clock = store, receiver_id, clock
        self._per_second, self._burst = per_second, burst

    async def __call__(self) -> None:
        """Wait for a slot."""
        try:
            async with self._store.write() as session:
                now = self._clock()
                account = await session.receivers.lock(self._receiver_id, now)
                account, pause = reserve(account, self._per_second, self._burst, now)
                await session.receivers.save(account)
        except DatabaseUnavailable as error:
            raise ReceiverUnavailable(SettingCode.DATABASE_DOWN, detail=error.message) from error
        if pause:
            await asyncio.sleep(pause.total_seconds())


async def at_once() -> None:
    """No rate limit, for own servers."""
