"""Limits reads: cancelled or timed-out reads also stop in the database. PostgreSQL's driver cancels
the statement. SQLite runs in a thread, so a progress handler checks whether the waiting task was
cancelled.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.util import await_only as await_

from router.errors import TookTooLong

STEPS = 20_000  # steps of SQLite between checks: about a millisecond
READ_SECONDS = 10.0  # that a visitor of the pages or the API may keep the database busy
SURVEYS = 2  # concurrent searches and reports
_WATCH = "watch"


class Watch:
    """The task that a SQLite connection works for."""

    def __init__(self) -> None:
        self.reader: asyncio.Task[Any] | None = None
        self.abandoned = False

    def is_over(self) -> bool:
        """Whether the reader was cancelled. Called in SQLite's thread, which stops at True."""
        reader = self.reader
        return self.abandoned or (reader is not None and reader.cancelling() > 0)


def watch_sqlite(engine: Engine) -> None:
    """Give each connection of this engine a watch."""

    @event.listens_for(engine, "connect")
    def _watch(connection: Any, record: Any) -> None:
        watch = record.info[_WATCH] = Watch()
        await_(connection.driver_connection.set_progress_handler(watch.is_over, STEPS))


def bound_postgresql(engine: Engine, seconds: float | None) -> None:
    """Plans for the values at hand, no compiling of plans, one processor for each reader, and a
    limit to each statement on this engine. With the memory, the places of a million texts that an
    index finds are exact: otherwise the trigrams of texts are computed once more, 0.1 ms each.
    """
    settings = [
        "jit = off",
        "plan_cache_mode = force_custom_plan",
        "max_parallel_workers_per_gather = 0",
        "work_mem = '16MB'",
    ]
    if seconds is not None:
        settings.append(f"statement_timeout = {round(seconds * 1000)}")

    @event.listens_for(engine, "connect")
    def _set(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for setting in settings:
            cursor.execute(f"SET {setting}")
        cursor.close()
        connection.commit()


@asynccontextmanager
async def watched(connection: AsyncConnection) -> AsyncIterator[None]:
    """This connection works for the current task.

    A reader that leaves by an exception has abandoned its statement, also where SQLite's thread
    did not ask before the task was gone.
    """
    inner = connection.sync_connection
    watch: Watch | None = None
    if inner:
        watch = inner.info.get(_WATCH)

    if watch is None:
        yield
        return
    watch.reader, watch.abandoned = asyncio.current_task(), False
    try:
        yield
    except BaseException:
        watch.abandoned = True
        raise
    finally:
        watch.reader = None


@asynccontextmanager
async def within(seconds: float | None) -> AsyncIterator[None]:
    """Raises `TookTooLong` when the block takes longer; what it waits for is cancelled."""
    try:
        async with asyncio.timeout(seconds) as limit:
            yield
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise TookTooLong from error
