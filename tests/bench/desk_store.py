"""Writes the rows of `desk_seed` into SQLite and PostgreSQL in bulk, brings both to the newest
tables, and adds the rows of `desk_extras`.
"""

import asyncio
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from router.store.engine import SqlStore
from router.store.migrate import migrate
from tests.bench.desk_extras import add_extras
from tests.bench.desk_seed import COLUMNS, Row, Seed
from tests.support.postgres import Postgres

FIRST_RELEASE = "0007"
SHOWN_EVERY = 250_000  # rows
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LOADING = (  # nothing is read meanwhile, and an interrupted load begins again
    "journal_mode = OFF",
    "synchronous = OFF",
    "cache_size = -400000",
    "locking_mode = EXCLUSIVE",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A database full of calls, and how long its migration took (None: it was there already)."""

    name: str
    url: str
    migrated_in: float | None
    postgres: Postgres | None = None


@contextmanager
def installations(
    directory: Path, seed: Seed, wanted: str | None = None
) -> Iterator[Iterator[Installation]]:
    """Both databases, or the one `wanted`; made unless the directory has them from an earlier
    run.
    """
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o755)  # PostgreSQL runs as a user of its own
    servers: list[Postgres] = []
    try:
        yield _made(directory, seed, wanted, servers)
    finally:
        for server in servers:
            server.stop(tidily=True)


def _made(
    directory: Path, seed: Seed, wanted: str | None, servers: list[Postgres]
) -> Iterator[Installation]:
    if wanted in {None, "sqlite"}:
        yield _sqlite(directory / f"desk-{seed.calls}.db", seed)
    if wanted in {None, "postgresql"}:
        (directory / "postgres").mkdir(exist_ok=True)
        servers.append(Postgres(directory / "postgres"))
        yield _postgresql(servers[0], f"desk-{seed.calls}", seed)


def _sqlite(path: Path, seed: Seed) -> Installation:
    url, whole = f"sqlite+aiosqlite:///{path}", path.with_suffix(".whole")
    took = None
    if not whole.exists():
        for ending in ("", "-wal", "-shm", "-journal"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
        asyncio.run(_migrate(url, FIRST_RELEASE))
        _load_sqlite(path, seed)
        took = asyncio.run(_finish(url, seed))
        whole.touch()
    asyncio.run(_migrate(url))  # since an earlier run
    return Installation(name="SQLite", url=url, migrated_in=took)


def _load_sqlite(path: Path, seed: Seed) -> None:
    with sqlite3.connect(path) as database:
        for pragma in _LOADING:
            database.execute(f"PRAGMA {pragma}")
        indexes = database.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        ).fetchall()
        for name, _ in indexes:
            database.execute(f"DROP INDEX {name}")
        for table, rows in seed.tables():
            names, _, marks = _columns(table)
            places = ", ".join("?" * len(names))
            statement = f'INSERT INTO "{table}" ({", ".join(names)}) VALUES ({places})'
            database.executemany(statement, _with_numbers(_counted(table, rows), marks))
            database.commit()
        _say("indexes")
        for _, statement in indexes:
            database.execute(statement)
        database.execute("UPDATE counter SET value = ? WHERE name = 'calls'", (seed.calls,))
        database.commit()
        database.execute("PRAGMA journal_mode = WAL")
    database.close()


def _postgresql(server: Postgres, name: str, seed: Seed) -> Installation:
    url, took = server.url(name), None
    if not asyncio.run(server.has(name)):
        making = f"{name}-making"
        asyncio.run(server.drop_if_there(making))
        server.create(making)
        asyncio.run(_migrate(server.url(making), FIRST_RELEASE))
        asyncio.run(_copy(server, making, seed))
        took = asyncio.run(_finish(server.url(making), seed))
        asyncio.run(server.rename(making, name))
    asyncio.run(_migrate(url))  # since an earlier run
    return Installation(name="PostgreSQL", url=url, migrated_in=took, postgres=server)


async def _copy(server: Postgres, database: str, seed: Seed) -> None:
    connection = await asyncpg.connect(host=str(server.home), user="tests", database=database)
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_jsonb, decoder=bytes.decode, format="binary"
    )
    for setting in ("session_replication_role = replica", "maintenance_work_mem = '512MB'"):
        await connection.execute(f"SET {setting}")  # the first: no foreign keys
    indexes = await connection.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexdef "
        "NOT LIKE '%UNIQUE%'"
    )
    for index in indexes:
        await connection.execute(f'DROP INDEX "{index["indexname"]}"')
    for table, rows in seed.tables():
        names, _, _ = _columns(table)
        counted = _counted(table, rows)
        await connection.copy_records_to_table(table, records=counted, columns=names)
    _say("indexes")
    for index in indexes:
        await connection.execute(index["indexdef"])
    await connection.execute("UPDATE counter SET value = $1 WHERE name = 'calls'", seed.calls)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def _jsonb(text: str) -> bytes:
    """PostgreSQL's own form of it, the first."""
    return b"\x01" + text.encode()


async def _finish(url: str, seed: Seed) -> float:
    """Bring a loaded database to the newest tables, and add what only they hold; returns the
    seconds of the first.
    """
    _say("migration to the newest tables")
    took = await _migrate(url)
    store, began = SqlStore(url), time.perf_counter()
    try:
        async with store.engine.begin() as connection:
            await add_extras(connection, seed)
        if not store.sqlite:
            async with store.engine.connect() as connection:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                await connection.exec_driver_sql("VACUUM ANALYZE")
    finally:
        await store.close()
    _say(f"migrated in {took:.0f} s, extras in {time.perf_counter() - began:.0f} s")
    return took


async def _migrate(url: str, revision: str = "head") -> float:
    store, began = SqlStore(url), time.perf_counter()
    try:
        await migrate(store, revision)
    finally:
        await store.close()
    return time.perf_counter() - began


def _columns(table: str) -> tuple[list[str], list[int], list[int]]:
    """The names, and the places of JSON and of moments."""
    words = COLUMNS[table].split()
    return (
        [word.lstrip("@#") for word in words],
        [place for place, word in enumerate(words) if word[0] == "#"],
        [place for place, word in enumerate(words) if word[0] == "@"],
    )


def _with_numbers(rows: Iterator[Row], moments: list[int]) -> Iterator[list[Any]]:
    for row in rows:
        values = list(row)
        for place in moments:
            at = values[place]
            values[place] = (at - _EPOCH) // _MICROSECOND if isinstance(at, datetime) else None
        yield values


def _counted(table: str, rows: Iterator[Row]) -> Iterator[Row]:
    """The same rows; says how many were written, and in how many seconds."""
    began = time.perf_counter()
    count = 0
    for count, row in enumerate(rows, 1):
        yield row
        if count % SHOWN_EVERY == 0:
            _say(f"{table}: {count:,} rows in {time.perf_counter() - began:.0f} s")
    _say(f"{table}: {count:,} rows in {time.perf_counter() - began:.0f} s")


def _say(what: str) -> None:
    print(f"bench: desk: {what}", file=sys.stderr, flush=True)
