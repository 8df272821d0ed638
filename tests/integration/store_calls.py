"""Calls as the store's tests save them."""

from typing import Any

from router.domain.calls.call import Call, Ending, State
from router.store.engine import SqlStore
from tests.support.builders import (
    DID,
    NOON,
)


def call(id: str = "rt1-1.0", **fields: Any) -> Call:  # noqa: A002
    base = {
        "did": DID[1:],
        "trunk": "carrier",
        "arrived_at": NOON,
        "state": State.ENDED,
        "ending": Ending.ANSWERED,
    }
    return Call(**{"id": id, **base, **fields})


async def save(store: SqlStore, *calls: Call) -> None:
    async with store.write() as session:
        await session.calls.save(calls)
