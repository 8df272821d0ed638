"""Calls that a company missed or answered, written as ingest writes them."""

from typing import Any

from router.domain.calls.call import Call, Ending
from router.domain.calls.missed import MissedCaller
from router.service.calls.missed_follow import follow_calls
from router.store.engine import SqlStore
from tests.support.builders import later
from tests.support.web_calls import a_call

NOBODY: dict[str, Any] = {
    "answered_at": None,
    "talk_seconds": 0.0,
    "answered_by": None,
    "ending": Ending.NO_ANSWER,
    "wait_seconds": 20.0,
}


def unanswered(name: str, seconds: float = 0, **more: Any) -> Call:
    return a_call(name, later(seconds), **{**NOBODY, **more})


def answered(name: str, seconds: float = 0, **more: Any) -> Call:
    """Answered after 7 seconds."""
    return a_call(name, later(seconds), **more)


async def write(store: SqlStore, *calls: Call) -> None:
    async with store.write() as session:
        await session.calls.save(calls)
        await follow_calls(session, calls)


async def every(store: SqlStore) -> list[MissedCaller]:
    async with store.read() as session:
        found = await session.find(MissedCaller)
    return sorted(found, key=lambda task: (task.since, task.id))


async def only(store: SqlStore) -> MissedCaller:
    (task,) = await every(store)
    return task
