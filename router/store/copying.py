"""Copies an installation from SQLite to PostgreSQL, and finds an unused old database."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import BigInteger, Table, delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from router.errors import ConfigurationError, Conflict, InvalidInput
from router.store.engine import SqlStore
from router.store.failures import explained
from router.store.migrate import Tables, compare, migrate
from router.store.tables import metadata

BATCH = 1000  # rows of one statement
# Rows that a first start creates in an empty database.
AFTER_A_START = {"counter", "cursor", "heartbeat", "login_session", "person", "qualified_to"}
FIRST_RULE = "target"  # made by a migration

ADVICE = (
    "To copy them, stop all processes and run `ringtrace database copy`; to go on with SQLite, "
    "unset RINGTRACE_DATABASE_URL."
)

Tell = Callable[[str, int, int], None]  # a table, how many rows of it are copied, how many it has


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftBehind:
    """Content of a SQLite database that is not in use."""

    file: Path
    calls: int
    sites: int


async def copy_database(source: SqlStore, target: SqlStore, tell: Tell) -> dict[str, int]:
    """Copy every table in one transaction; returns the number of rows of each. Both databases are
    migrated first. Raises `Conflict` if the target is not empty, `InvalidInput` for a value that
    the target refuses.
    """
    if not source.sqlite or target.sqlite:
        raise ConfigurationError("Only SQLite can be copied, and only to PostgreSQL.")
    if await compare(source) is Tables.MISSING:
        raise ConfigurationError(f"There is no database to copy: {source.engine.url.database}")
    for store in (source, target):
        await migrate(store)

    async with explained(), source.engine.connect() as old, target.engine.begin() as new:
        await old.exec_driver_sql("BEGIN")
        await _make_empty(new)
        copied = {}
        for table in metadata.sorted_tables:
            copied[table.name] = await _copy(table, old, new, tell)
        await old.rollback()

    async with explained(), target.engine.connect() as new:
        await new.execute(text("ANALYZE"))
        await new.commit()
    return copied


async def _make_empty(target: AsyncConnection) -> None:
    """Remove the rows of a first start. Raises `Conflict` for others."""
    for table in metadata.sorted_tables:
        if table.name in AFTER_A_START:
            continue
        without = None
        if table.name == "rule":
            without = FIRST_RULE

        if found := await _count(table, target, without=without):
            raise Conflict(
                f"The target database is not empty: the table {table.name} has {found} rows. "
                "Nothing was copied; use an empty database."
            )
    for table in reversed(metadata.sorted_tables):
        await target.execute(delete(table))


async def _copy(table: Table, old: AsyncConnection, new: AsyncConnection, tell: Tell) -> int:
    total, copied = await _count(table, old), 0
    tell(table.name, 0, total)
    query = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=BATCH)
    rows = await old.stream(query)

    async for batch in rows.mappings().partitions(BATCH):
        try:
            await new.execute(insert(table), [dict(row) for row in batch])
        except Exception as error:
            raise InvalidInput(
                f"The table {table.name} cannot be copied, so nothing was: {_reason(error)}"
            ) from error
        copied += len(batch)
        tell(table.name, copied, total)

    await _continue_numbering(table, new)
    if await _count(table, new) != total:
        raise Conflict(f"The table {table.name} changed during the copy: stop all processes first.")
    return copied


async def _continue_numbering(table: Table, target: AsyncConnection) -> None:
    """Set PostgreSQL's sequence to the next free number."""
    for column in table.primary_key.columns:
        if column is table.autoincrement_column and isinstance(column.type, BigInteger):
            sequence = f"pg_get_serial_sequence('{table.name}', '{column.name}')"
            highest = f"(SELECT coalesce(max({column.name}), 0) + 1 FROM {table.name})"  # noqa: S608  our own names
            await target.execute(text(f"SELECT setval({sequence}, {highest}, false)"))


async def _count(table: Table, connection: AsyncConnection, without: str | None = None) -> int:
    counting = select(func.count()).select_from(table)
    if without is not None:
        counting = counting.where(table.c.id != without)
    return int((await connection.execute(counting)).scalar_one())


def _reason(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0][:300]


async def left_behind(home: Path, store: SqlStore) -> LeftBehind | None:
    """The home's SQLite database, if it has calls or sites and the database in use has neither."""
    file = home / "ringtrace.db"
    if not file.exists() or _same(file, store):
        return None
    calls, sites = await asyncio.to_thread(_count_in, file)
    if not calls and not sites:
        return None
    if await compare(store) is not Tables.MISSING and await _has_any(store):
        return None
    return LeftBehind(file=file, calls=calls, sites=sites)


def _same(file: Path, store: SqlStore) -> bool:
    database = store.engine.url.database or ""
    return store.sqlite and Path(database).resolve() == file.resolve()


async def _has_any(store: SqlStore) -> bool:
    async with explained(), store.engine.connect() as connection:
        for name in ("call", "site"):
            table = metadata.tables[name]
            query: Any = select(next(iter(table.primary_key.columns))).limit(1)
            if (await connection.execute(query)).first() is not None:
                return True
    return False


def _count_in(file: Path) -> tuple[int, int]:
    """How many calls and sites a SQLite file has; none if it cannot be read."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)) as database:
            calls, sites = (
                database.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608
                for name in ("call", "site")
            )
    except sqlite3.Error:
        return 0, 0
    return int(calls), int(sites)
