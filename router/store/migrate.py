"""Brings a database to the newest tables, or back."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from router.store.engine import SqlStore
from router.store.failures import explained


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration without a file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


async def migrate(store: SqlStore, revision: str = "head") -> None:
    """Upgrade to `revision`."""
    await _run(store, lambda connection: command.upgrade(alembic_config(connection), revision))


async def migrate_down(store: SqlStore, revision: str = "base") -> None:
    """Downgrade to `revision`; what only newer tables keep is lost."""
    await _run(store, lambda connection: command.downgrade(alembic_config(connection), revision))


async def is_current(store: SqlStore) -> bool:
    """Whether the tables are those of this version. Looking makes nothing, not even SQLite's file."""
    if store.sqlite and not _is_there(store):
        return False
    newest = ScriptDirectory.from_config(alembic_config()).get_heads()
    async with explained(), store.engine.connect() as connection:
        heads = await connection.run_sync(lambda c: MigrationContext.configure(c).get_current_heads())
    return set(heads) == set(newest)


def _is_there(store: SqlStore) -> bool:
    return Path(store.engine.url.database or "").exists()


async def _run(store: SqlStore, work: Callable[[Connection], None]) -> None:
    async with store.engine.connect() as connection:
        if store.sqlite:
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
        await connection.run_sync(work)
        await connection.commit()
