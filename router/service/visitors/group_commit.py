"""Joins concurrent requests in one transaction.

A transaction costs more than what one visitor writes in it, and on SQLite there is one at a time.
The first request leads: it waits a moment for others, commits them together, and passes the lead to
the next.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from router.errors import Unavailable, WriteUndone
from router.service.ports import Session, Store

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

MOST = 100  # in one transaction, so that requests do not wait long
GATHER_SECONDS = 0.002  # wait for other requests; short compared with the network


class _Waiting(Generic[Asked, Answer]):
    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.turn = asyncio.get_running_loop().create_future()  # done, or has to lead
        self.done = False
        self.answer: Answer
        self.error: Exception | None = None


class GroupCommit(Generic[Asked, Answer]):
    """`act` gets a session and what was asked, and gives the answers in the same order."""

    def __init__(
        self, store: Store, act: Callable[[Session, Sequence[Asked]], Awaitable[list[Answer]]]
    ) -> None:
        self._store, self._act = store, act
        self._queue: list[_Waiting[Asked, Answer]] = []
        self._led = False

    async def __call__(self, asked: Asked) -> Answer:
        """The answer, after the commit. If the common transaction fails, each request is repeated
        alone.
        """
        waiting: _Waiting[Asked, Answer] = _Waiting(asked)
        self._queue.append(waiting)
        if self._led:
            await self._wait(waiting)
        if not waiting.done:
            await self._lead(waiting)
        if waiting.error is not None:
            raise waiting.error
        return waiting.answer

    async def _wait(self, waiting: _Waiting[Asked, Answer]) -> None:
        try:
            await waiting.turn
        except asyncio.CancelledError:
            if waiting in self._queue:
                self._queue.remove(waiting)
            if waiting.turn.done() and not waiting.turn.cancelled() and not waiting.done:
                self._hand_on()  # it was to lead
            raise

    async def _lead(self, leader: _Waiting[Asked, Answer]) -> None:
        self._led = True
        batch: list[_Waiting[Asked, Answer]] = []
        try:
            await asyncio.sleep(GATHER_SECONDS)
            batch, self._queue = self._queue[:MOST], self._queue[MOST:]
            if len(batch) > 1:
                await self._all(batch)
            for waiting in batch:
                if not waiting.done:
                    await self._alone(waiting)
        finally:  # cancelled: the others still get their answers
            self._queue = [
                waiting
                for waiting in (*batch, *self._queue)
                if not waiting.done and waiting is not leader
            ]
            for waiting in batch:
                if waiting.done and not waiting.turn.done():
                    waiting.turn.set_result(None)
            self._hand_on()

    def _hand_on(self) -> None:
        following = next((waiting for waiting in self._queue if not waiting.turn.done()), None)
        self._led = following is not None
        if following is not None:
            following.turn.set_result(None)

    async def _all(self, batch: Sequence[_Waiting[Asked, Answer]]) -> None:
        try:
            await self._carry_out(batch)
        except WriteUndone:
            return
        except Unavailable as error:  # each alone would wait as long as all together
            for waiting in batch:
                waiting.error, waiting.done = error, True
        except Exception:  # noqa: BLE001  whose it is shows when each is tried alone
            return

    async def _alone(self, waiting: _Waiting[Asked, Answer]) -> None:
        try:
            await self._carry_out([waiting])
        except Exception as error:  # noqa: BLE001 (raised where it was asked)
            waiting.error, waiting.done = error, True

    async def _carry_out(self, batch: Sequence[_Waiting[Asked, Answer]]) -> None:
        async with self._store.write() as session:
            answers = await self._act(session, [waiting.asked for waiting in batch])
        for waiting, answer in zip(batch, answers, strict=True):
            waiting.answer, waiting.done = answer, True
