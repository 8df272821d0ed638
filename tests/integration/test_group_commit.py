"""Many askings in one transaction."""

import asyncio
from typing import Any

import pytest

from router.errors import DatabaseUnavailable, InvalidInput, WriteUndone
from router.service.visitors.group_commit import GroupCommit
from router.store.engine import SqlStore


async def test_what_spoils_the_common_transaction_fails_alone(store: SqlStore) -> None:
    async def act(_: Any, asked: Any) -> list[int]:
        if 3 in asked:
            raise InvalidInput("three")
        return [number * 10 for number in asked]

    together = GroupCommit(store, act)
    results = await asyncio.gather(*(together(i) for i in range(6)), return_exceptions=True)
    assert [result for result in results if isinstance(result, int)] == [0, 10, 20, 40, 50]
    assert isinstance(results[3], InvalidInput)


@pytest.mark.parametrize("moment", [0, 0.001, 0.004])
async def test_who_goes_away_keeps_no_other_waiting(moment: float, store: SqlStore) -> None:
    async def act(_: Any, asked: Any) -> list[int]:
        await asyncio.sleep(0.003)
        return list(asked)

    together = GroupCommit(store, act)
    tasks = [asyncio.create_task(together(i)) for i in range(6)]
    await asyncio.sleep(moment)
    for gone in (0, 1, 3):
        tasks[gone].cancel()
    async with asyncio.timeout(180):
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [results[i] for i in (2, 4, 5)] == [2, 4, 5]
        assert await together(7) == 7


async def test_a_database_that_does_not_answer_is_waited_for_once_for_all(store: SqlStore) -> None:
    tried: list[int] = []

    async def act(_: Any, asked: Any) -> list[int]:
        tried.append(len(asked))
        raise DatabaseUnavailable

    together = GroupCommit(store, act)
    results = await asyncio.gather(*(together(i) for i in range(6)), return_exceptions=True)
    assert [type(result) for result in results] == [DatabaseUnavailable] * 6
    assert tried == [6]


async def test_what_the_database_undid_is_tried_again(store: SqlStore) -> None:
    tried: list[int] = []

    async def act(_: Any, asked: Any) -> list[int]:
        tried.append(len(asked))
        if len(tried) == 1:
            raise WriteUndone
        return list(asked)

    together = GroupCommit(store, act)
    assert await asyncio.gather(*(together(i) for i in range(6))) == list(range(6))
    assert tried == [6, 1, 1, 1, 1, 1, 1]
