"""SQLite without a thread: short transactions run on the event loop.

A statement with aiosqlite needs four thread switches, ten times the cost of SQLite itself. Short
operations (writes, and look-ups of a few rows by key) run directly; only waiting for another writer
is asynchronous.
"""

import asyncio
import time
from itertools import count
from typing import Any

from sqlalchemy import Connection, CursorResult, Dialect, Engine, Executable
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from router.domain.backoff import backoff

# seconds between attempts to get the write lock
FIRST_PAUSE, LONGEST_PAUSE = 0.001, 0.02


class DirectConnection:
    """The methods of `AsyncConnection` that sessions use, on a connection of this thread."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def dialect(self) -> Dialect:
        """SQLite's."""
        return self._connection.dialect

    async def execute(
        self, statement: Executable, parameters: Any = None
    ) -> CursorResult[*tuple[Any, ...]]:
        """Execute a statement; rows are fetched on demand."""
        return self._connection.execute(statement, parameters)

    async def exec_driver_sql(self, statement: str) -> CursorResult[*tuple[Any, ...]]:
        """Execute plain SQL."""
        return self._connection.exec_driver_sql(statement)

    async def commit(self) -> None:
        """Commit."""
        self._connection.commit()

    async def rollback(self) -> None:
        """Roll back."""
        self._connection.rollback()


AnyConnection = AsyncConnection | DirectConnection


async def begin_writing(engine: Engine, patience: float) -> Connection:
    """A connection that holds the file's write lock. Raises `OperationalError` after `patience`
    seconds.

    The engine's own busy timeout must be 0: waiting inside SQLite would block the loop.
    """
    until = time.monotonic() + patience
    for looks in count(1):
        connection = engine.connect()
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            return connection
        except OperationalError as error:
            connection.close()
            if "locked" not in str(error.orig) or time.monotonic() >= until:
                raise
        except BaseException:
            connection.close()
            raise
        await asyncio.sleep(backoff(looks, FIRST_PAUSE, LONGEST_PAUSE))
    raise AssertionError  # unreachable: the loop has no end
