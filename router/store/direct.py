"""SQLite without a thread between: short transactions run where they are asked for.

A statement over aiosqlite crosses to its thread and back four times, which costs ten times what
SQLite itself does. What is short by rule (writing, and looking up a few rows by their keys) is
carried out at once; only the wait for another writer, which may be long, is waited for on the loop.
"""

import asyncio
import time
from itertools import count
from typing import Any

from sqlalchemy import Connection, CursorResult, Dialect, Engine, Executable
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from router.domain.backoff import backoff

# seconds between looks whether the other writer has finished
FIRST_PAUSE, LONGEST_PAUSE = 0.001, 0.02


class DirectConnection:
    """What sessions use of an `AsyncConnection`, over a connection of this very thread."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def dialect(self) -> Dialect:
        """SQLite's."""
        return self._connection.dialect

    async def execute(
        self, statement: Executable, parameters: Any = None
    ) -> CursorResult[*tuple[Any, ...]]:
        """Carry out a statement; its rows are read as they are asked for."""
        return self._connection.execute(statement, parameters)

    async def exec_driver_sql(self, statement: str) -> CursorResult[*tuple[Any, ...]]:
        """Carry out plain SQL."""
        return self._connection.exec_driver_sql(statement)

    async def commit(self) -> None:
        """Keep what was written."""
        self._connection.commit()

    async def rollback(self) -> None:
        """Undo what was written."""
        self._connection.rollback()


AnyConnection = AsyncConnection | DirectConnection


async def begin_writing(engine: Engine, patience: float) -> Connection:
    """A connection that holds the file's write lock. Raises `OperationalError` after `patience`
    seconds.

    The engine's own busy timeout must be 0: waiting inside SQLite would stop the loop.
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
    raise AssertionError  # never: the loop has no end
