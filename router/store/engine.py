"""Opens the database and keeps its transactions in order.

SQLite has one writer at a time, so writers in one process queue at a lock, then take the file's
write lock with BEGIN IMMEDIATE. Readers do not wait (WAL). Long reads (pages, reports) use
aiosqlite's thread; writes and glances, which are short, do not (see `direct`). On PostgreSQL both
use pooled connections.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from router.domain.delivery.receiver_kind import ReceiverKinds
from router.errors import DatabaseUnavailable
from router.store.direct import DirectConnection, begin_writing
from router.store.failures import explained
from router.store.reading import SURVEYS, bound_postgresql, watch_sqlite, watched, within
from router.store.session import SqlSession
from router.store.sqlite_hints import SQLiteHints

BUSY_SECONDS = 30.0
CHECKPOINT_SECONDS = 0.5  # between two checkpoints of SQLite's log
NO_KINDS = ReceiverKinds()  # for uses without receivers
POOL_SIZE = 5  # pooled connections; twice as many more under load
LONGEST_LOG = 20_000  # pages of 4 KiB after which a commit checkpoints the log itself


class SqlStore:
    """The store of `router.service.ports`, on SQLite or PostgreSQL."""

    def __init__(
        self,
        url: str,
        *,
        receiver_kinds: ReceiverKinds = NO_KINDS,
        busy_seconds: float = BUSY_SECONDS,
        read_seconds: float | None = None,
    ) -> None:
        """`read_seconds` limits each read, in processes that serve many users."""
        self.receiver_kinds = receiver_kinds
        self.sqlite = url.startswith("sqlite")
        options: dict[str, Any] = {"pool_size": POOL_SIZE, "pool_pre_ping": not self.sqlite}
        if self.sqlite:
            options["connect_args"] = {"timeout": busy_seconds}
        self.engine: AsyncEngine = create_async_engine(url, **options)
        self._patience = busy_seconds
        self._read_seconds = read_seconds
        self._surveys = asyncio.Semaphore(SURVEYS)
        self._writing = asyncio.Lock()
        self._direct: Engine | None = None
        self._short = self.engine
        if self.sqlite:
            url_here = self.engine.url.set(drivername="sqlite")
            self._direct = create_engine(url_here, max_overflow=-1, connect_args={"timeout": 0})
            for engine in (self.engine.sync_engine, self._direct):
                event.listen(engine, "connect", _prepare_sqlite)
                engine.dialect.statement_compiler = SQLiteHints
            watch_sqlite(self.engine.sync_engine)
        else:  # short operations do not wait for connections of long reads
            self._short = create_async_engine(url, **options)
            bound_postgresql(self.engine.sync_engine, read_seconds)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[SqlSession]:
        """A read transaction; writes are rolled back. The loop is not blocked. Raises
        `TookTooLong`. If cancelled, its statement stops in the database too.
        """
        async with explained(), within(self._read_seconds), self._reader() as connection:
            if self.sqlite:
                await connection.exec_driver_sql("BEGIN")
            yield SqlSession(connection, self.receiver_kinds)
            await connection.rollback()

    @asynccontextmanager
    async def survey(self) -> AsyncIterator[SqlSession]:
        """Like `read`, for searches and reports: few run at once, and waiting counts as time."""
        async with within(self._read_seconds), self._surveys, self.read() as session:
            yield session

    @asynccontextmanager
    async def _reader(self) -> AsyncIterator[AsyncConnection]:
        async with self.engine.connect() as connection, watched(connection):
            yield connection

    @asynccontextmanager
    async def read_inline(self) -> AsyncIterator[SqlSession]:
        """A read transaction for a few rows by key: on SQLite it blocks the loop."""
        if self._direct is None:
            async with explained(), self._short.connect() as connection:
                yield SqlSession(connection, self.receiver_kinds)
                await connection.rollback()
            return
        async with explained():
            with self._direct.connect() as connection:
                connection.exec_driver_sql("BEGIN")
                yield SqlSession(DirectConnection(connection), self.receiver_kinds)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[SqlSession]:
        """A transaction: committed at the end of the block, undone by an exception."""
        if self._direct is None:
            async with explained(), self._short.connect() as connection:
                with _told_if_undone(SqlSession(connection, self.receiver_kinds)) as session:
                    yield session
                    await connection.commit()
            session.set_up.log()
            return
        async with self._writing, explained():
            with (
                await begin_writing(self._direct, self._patience) as here,
                _told_if_undone(SqlSession(DirectConnection(here), self.receiver_kinds)) as session,
            ):
                yield session
                here.commit()
        session.set_up.log()

    async def checkpoint_wal(self) -> None:
        """Checkpoint SQLite's write-ahead log in the background: a commit that has to do it takes
        twenty times as long.
        """
        if self.sqlite:
            async with explained(), self.engine.connect() as connection:
                await connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")

    async def checkpoint_often(self) -> None:
        """Do so until cancelled."""
        while True:
            await asyncio.sleep(CHECKPOINT_SECONDS)
            with suppress(DatabaseUnavailable):
                await self.checkpoint_wal()

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()
        await self._short.dispose()
        if self._direct is not None:
            self._direct.dispose()


@contextmanager
def _told_if_undone(session: SqlSession) -> Iterator[SqlSession]:
    try:
        yield session
    except BaseException:
        session.undone()
        raise


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we begin transactions, not the driver
    cursor = connection.cursor()
    log = ("journal_mode = WAL", "synchronous = NORMAL", f"wal_autocheckpoint = {LONGEST_LOG}")
    for pragma in (*log, "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
    # SQLite's own function supports only A to Z
    connection.create_function("lower", 1, _lower)


def _lower(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    return text.lower()
