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
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from router.errors import DatabaseUnavailable
from router.store.session import SqlSession

BUSY_SECONDS = 30.0


class SqlStore:
    """The store of `router.service.ports`, on SQLite or PostgreSQL."""

    def __init__(self, url: str) -> None:
        self.sqlite = url.startswith("sqlite")
        options: dict[str, Any] = {"connect_args": {"timeout": BUSY_SECONDS}} if self.sqlite else {"pool_size": 5}
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
        except (OperationalError, OSError) as error:
            raise DatabaseUnavailable(f"The database does not answer: {_reason(error)}") from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise DatabaseUnavailable(f"The database does not answer: {_reason(error)}") from error
            raise

    async def close(self) -> None:
        """Let go of every connection."""
        await self.engine.dispose()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by us, not by the driver's guess
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "busy_timeout = 30000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _reason(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0][:200]
