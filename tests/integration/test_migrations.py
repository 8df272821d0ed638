"""Migrations: up and down on both databases, and nothing between them and the tables that the code
speaks of.
"""

import asyncio
import hashlib
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from router.errors import ConfigurationError
from router.store import migrations
from router.store.engine import SqlStore
from router.store.migrate import (
    Tables,
    check_tables,
    compare,
    migrate,
    migrate_down,
    missing_columns,
)
from router.store.tables import metadata
from tests.bench.desk_many import EVERY
from tests.bench.desk_seed import Seed
from tests.bench.desk_store import FIRST_RELEASE, Installation, installations

RELEASED = {
    "0001_first_tables": "b454ecb4539b3ef9",
    "0002_the_sites_side": "8fdacde7642edb02",
    "0003_origins_of_calls": "53ace9de0f3b4ddc",
    "0004_evidence_by_visitor": "e8fc0b462a4c0767",
    "0005_connections": "90efbf1382ce638f",
    "0006_deliveries_by_age": "c726766c3c190f58",
    "0007_forms_by_visit": "727e62911db0c0ce",
}

SEARCH_INDEXES = (
    "call_search_index",
    "ix_call_search_trigrams",
    "transcript_index",
    "ix_transcript_text_words",
)
RENAMED = {"showing": "fallback"}  # since the first release


def _ours(name: str | None, kind: str, _: Any) -> bool:
    """The indexes of searches are each database's own: migrations alone speak of them."""
    return not (name or "").startswith(SEARCH_INDEXES) or kind == "column"


def _differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(
        connection,
        opts={"compare_type": True, "compare_server_default": True, "include_name": _ours},
    )
    return list(compare_metadata(context, metadata))


def _tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


async def test_the_migrated_database_is_the_one_the_code_speaks_of(bare_database: str) -> None:
    store = SqlStore(bare_database)
    await migrate(store)
    async with store.engine.connect() as connection:
        assert await connection.run_sync(_differences) == []
    assert await compare(store) is Tables.CURRENT
    await store.close()


async def test_going_down_takes_every_table_along_and_up_again_brings_them_back(
    bare_database: str,
) -> None:
    store = SqlStore(bare_database)
    await migrate(store)
    await migrate_down(store)
    async with store.engine.connect() as connection:
        assert await connection.run_sync(_tables) <= {"alembic_version"}
    await migrate(store)
    async with store.engine.connect() as connection:
        assert await connection.run_sync(_differences) == []
    await store.close()


def test_what_the_first_release_wrote_is_there_after_every_step_up_and_down() -> None:
    seed = Seed(200, datetime(2026, 11, 30, 1, tzinfo=UTC))
    written = {table: len(list(rows)) for table, rows in seed.tables()}
    assert written["call"] == 200
    written["tag"] += len(range(0, 200, EVERY))  # more tags, of the newest tables
    assert written["recording"] > 0
    with (
        tempfile.TemporaryDirectory() as directory,
        installations(Path(directory), seed) as migrated,
    ):
        for installation in migrated:
            assert asyncio.run(_counted_after_every_step(installation, written)) == [written] * 3


async def _counted_after_every_step(
    installation: Installation, tables: dict[str, int]
) -> list[dict[str, int]]:
    """How many rows each of the first release's tables has: at the newest, at the first, at the
    newest again.
    """
    store = SqlStore(installation.url)
    counts = [await _counts(store, tables)]

    await migrate_down(store, FIRST_RELEASE)
    counts.append(await _counts(store, tables))

    await migrate(store)
    counts.append(await _counts(store, tables))
    await store.close()
    return counts


async def _counts(store: SqlStore, tables: dict[str, int]) -> dict[str, int]:
    counts = {}
    async with store.engine.connect() as connection:
        present = await connection.run_sync(_tables)
        for table in tables:
            name = RENAMED[table] if RENAMED.get(table) in present else table
            counts[table] = int(
                await connection.scalar(text(f'SELECT count(*) FROM "{name}"')) or 0
            )
    return counts


async def test_migrating_twice_is_migrating_once(store: SqlStore) -> None:
    await migrate(store)
    async with store.read() as session:
        assert await session.calls.revision() == 0
        assert await session.configuration.revision() == 0


async def test_a_database_without_tables_is_not_current(bare_database: str) -> None:
    store = SqlStore(bare_database)
    assert await compare(store) is not Tables.CURRENT
    await store.close()


async def test_a_database_of_a_newer_program_is_refused_in_words(store: SqlStore) -> None:
    async with store.engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert await compare(store) is Tables.NEWER
    for work in (migrate, check_tables):
        with pytest.raises(ConfigurationError, match="newer version"):
            await work(store)


async def test_an_older_database_is_refused_by_parts_and_made_current_by_prepare(
    bare_database: str,
) -> None:
    store = SqlStore(bare_database)
    await migrate(store, "0003")
    with pytest.raises(ConfigurationError, match="ringtrace prepare"):
        await check_tables(store)
    await migrate(store)
    await check_tables(store)
    assert await missing_columns(store) == []
    await store.close()


async def test_a_column_that_an_edited_migration_left_out_is_named(store: SqlStore) -> None:
    async with store.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE person DROP COLUMN role"))
    assert await missing_columns(store) == ["person.role"]


@pytest.mark.parametrize("name", sorted(RELEASED))
def test_a_released_migration_is_never_edited(name: str) -> None:
    path = Path(migrations.__file__ or "").parent / "versions" / f"{name}.py"
    assert hashlib.sha256(path.read_bytes()).hexdigest()[:16] == RELEASED[name], (
        "add a new migration instead"
    )
