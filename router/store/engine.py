"""Opens the database and keeps its transactions in order.

SQLite has one writer at a time, so writers in one process queue at a lock of ours, take the file's write lock with
BEGIN IMMEDIATE, and wait for writers of other processes with busy_timeout. Readers never wait (WAL).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from router.errors import DatabaseUnavailable, InvalidInput
from router.store.session import SqlSession

BUSY_SECONDS = 30.0
_PASSING = {"08", "40", "53", "55", "57"}  # PostgreSQL: connection lost, deadlock, too many, locked, shutting down
_DATA = "22"  # PostgreSQL: a text too long, a NUL in it


class SqlStore:
    """The store of `router.service.ports`, on SQLite or PostgreSQL."""

    def __init__(self, url: str, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self.sqlite = url.startswith("sqlite")
        options: dict[str, Any] = {"connect_args": {"timeout": busy_seconds}} if self.sqlite else {"pool_size": 5}
        self.engine: AsyncEngine = create_async_engine(url, pool_pre_ping=not self.sqlite, **options)
        self._writing = asyncio.Lock()
        if self.sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[SqlSession]:
        """A consistent view; whatever is written in it is undone."""
        async with self._transaction("BEGIN") as connection:
            yield SqlSession(connection)
            await connection.rollback()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[SqlSession]:
        """A transaction: committed at the end of the block, undone by an exception."""
        queue = self._writing if self.sqlite else nullcontext()
        async with queue, self._transaction("BEGIN IMMEDIATE") as connection:
            yield SqlSession(connection)
            await connection.commit()

    @asynccontextmanager
    async def _transaction(self, begin: str) -> AsyncIterator[AsyncConnection]:
        try:
            async with self.engine.connect() as connection:
                if self.sqlite:
                    await connection.exec_driver_sql(begin)
                yield connection
        except UnicodeEncodeError as error:
            raise InvalidInput(f"A text cannot be kept: {error}") from error
        except (OperationalError, PoolTimeout, OSError) as error:
            raise DatabaseUnavailable(f"The database does not answer: {_reason(error)}") from error
        except DBAPIError as error:
            state = str(getattr(error.orig, "sqlstate", None) or "")
            if error.connection_invalidated or state[:2] in _PASSING:
                raise DatabaseUnavailable(f"The database does not answer: {_reason(error)}") from error
            if state[:2] == _DATA:
                raise InvalidInput(f"The database cannot keep this value: {_reason(error)}") from error
            raise

    async def close(self) -> None:
        """Let go of every connection."""
        await self.engine.dispose()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by us, not by the driver's guess
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
    connection.create_function("lower", 1, _lower)  # SQLite's own knows only A to Z, and callers have names


def _lower(text: Any) -> Any:
    return text.lower() if isinstance(text, str) else text


def _reason(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0][:200]
