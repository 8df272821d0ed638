"""Migrations: up and down on both databases, and nothing between them and the tables that the code speaks of."""

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect

from router.store.engine import SqlStore
from router.store.migrate import is_current, migrate, migrate_down
from router.store.tables import metadata


def _ours(name: str | None, kind: str, _: Any) -> bool:
    """The index of trigrams is each database's own: migrations alone speak of it."""
    return not (name or "").startswith(("call_search_index", "ix_call_search_trigrams")) or kind == "column"


def _differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True, "include_name": _ours}
    )
    return list(compare_metadata(context, metadata))


def _tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


async def test_the_migrated_database_is_the_one_the_code_speaks_of(bare_database: str) -> None:
    store = SqlStore(bare_database)
    await migrate(store)
    async with store.engine.connect() as connection:
        assert await connection.run_sync(_differences) == []
    assert await is_current(store)
    await store.close()


async def test_going_down_takes_every_table_along_and_up_again_brings_them_back(bare_database: str) -> None:
    store = SqlStore(bare_database)
    await migrate(store)
    await migrate_down(store)
    async with store.engine.connect() as connection:
        assert await connection.run_sync(_tables) <= {"alembic_version"}
    await migrate(store)
    async with store.engine.connect() as connection:
        assert await connection.run_sync(_differences) == []
    await store.close()


async def test_migrating_twice_is_migrating_once(store: SqlStore) -> None:
    await migrate(store)
    async with store.read() as session:
        assert await session.revision() == 0
        assert await session.configuration_revision() == 0


async def test_a_database_without_tables_is_not_current(bare_database: str) -> None:
    store = SqlStore(bare_database)
    assert not await is_current(store)
    await store.close()
