"""Writes the rows of `desk_seed` into SQLite and PostgreSQL in bulk, and brings both to the newest
tables.
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
from tests.bench.desk_seed import COLUMNS, Row, Seed
from tests.support.postgres import Postgres

FIRST_RELEASE = "0007"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A database full of calls, and how long its migration took (None: it was there already)."""

    name: str
    url: str
    migrated_in: float | None


@contextmanager
def installations(directory: Path, seed: Seed) -> Iterator[list[Installation]]:
    """Both databases, made unless the directory has them from an earlier run."""
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o755)  # PostgreSQL runs as a user of its own
    (directory / "postgres").mkdir(exist_ok=True)
    server = Postgres(directory / "postgres")
    try:
        yield [
            _sqlite(directory / f"desk-{seed.calls}.db", seed),
            _postgresql(server, f"desk-{seed.calls}", seed),
        ]
    finally:
        server.stop(tidily=True)


def _sqlite(path: Path, seed: Seed) -> Installation:
    url, whole = f"sqlite+aiosqlite:///{path}", path.with_suffix(".whole")
    if whole.exists():
        return Installation(name="SQLite", url=url, migrated_in=None)
    path.unlink(missing_ok=True)
    asyncio.run(_migrate(url, FIRST_RELEASE))
    _say("writing SQLite")
    with sqlite3.connect(path) as database:
        for pragma in ("synchronous = OFF", "cache_size = -400000"):
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
            database.executemany(statement, _with_numbers(rows, marks))
        for _, statement in indexes:
            database.execute(statement)
        database.execute("UPDATE counter SET value = ? WHERE name = 'calls'", (seed.calls,))
    database.close()
    took = asyncio.run(_migrate(url))
    whole.touch()
    return Installation(name="SQLite", url=url, migrated_in=took)


def _postgresql(server: Postgres, name: str, seed: Seed) -> Installation:
    url = server.url(name)
    if asyncio.run(server.has(name)):
        return Installation(name="PostgreSQL", url=url, migrated_in=None)
    making = f"{name}-making"
    asyncio.run(server.drop_if_there(making))
    server.create(making)
    asyncio.run(_migrate(server.url(making), FIRST_RELEASE))
    _say("writing PostgreSQL")
    asyncio.run(_copy(server, making, seed))
    took = asyncio.run(_migrate(server.url(making)))
    asyncio.run(server.rename(making, name))
    return Installation(name="PostgreSQL", url=url, migrated_in=took)


async def _copy(server: Postgres, database: str, seed: Seed) -> None:
    connection = await asyncpg.connect(host=str(server.home), user="tests", database=database)
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_jsonb, decoder=bytes.decode, format="binary"
    )
    await connection.execute("SET session_replication_role = replica")  # no foreign keys
    indexes = await connection.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexdef "
        "NOT LIKE '%UNIQUE%'"
    )
    for index in indexes:
        await connection.execute(f'DROP INDEX "{index["indexname"]}"')
    for table, rows in seed.tables():
        names, _, _ = _columns(table)
        await connection.copy_records_to_table(table, records=rows, columns=names)
    for index in indexes:
        await connection.execute(index["indexdef"])
    await connection.execute("UPDATE counter SET value = $1 WHERE name = 'calls'", seed.calls)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def _jsonb(text: str) -> bytes:
    """PostgreSQL's own form of it, the first."""
    return b"\x01" + text.encode()


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


def _say(what: str) -> None:
    print(f"bench: desk: {what} …", file=sys.stderr, flush=True)
