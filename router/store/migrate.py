"""Upgrades and downgrades the database. Each step is a separate transaction: others can write
between steps, and an interrupted migration continues. Concurrent migrations wait for each other.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import AsyncConnection

from router.errors import ConfigurationError
from router.store.engine import SqlStore
from router.store.failures import explained
from router.store.tables import metadata

NEWER = (
    "The database was made by a newer version of Ringtrace than this program: install that "
    "version again, or restore the backup from before the upgrade."
)
ADVICE = {
    "missing": "There is no database yet: run `ringtrace prepare`, or set RINGTRACE_HOME.",
    "older": "The database is of an older version of Ringtrace: run `ringtrace prepare`, then "
    "restart all processes.",
    "newer": NEWER,
}

_LOCK = 7_211_602_917  # PostgreSQL's advisory lock for migrations
_CACHE = "PRAGMA cache_size = -200000"  # kB: indexes of great tables are built from it


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration without a file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@cache
def _scripts() -> ScriptDirectory:
    """All migrations. Reading them takes longer than running one: they are read once."""
    return ScriptDirectory.from_config(alembic_config())


class Tables(StrEnum):
    """State of the tables compared with this version."""

    MISSING = "missing"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"


async def migrate(store: SqlStore, revision: str = "head") -> None:
    """Upgrade to `revision`. Raises `ConfigurationError` for a database of a newer program."""
    if await compare(store) is Tables.NEWER:
        raise ConfigurationError(NEWER)

    scripts = _scripts()

    def upgrade(connection: Connection, step: str) -> None:
        _run_steps(connection, scripts, lambda heads, _: scripts._upgrade_revs(step, heads))

    while step := await _first_step(store, scripts, revision):
        await _run(store, step, upgrade)


async def migrate_down(store: SqlStore, revision: str = "base") -> None:
    """Downgrade to `revision`; what only newer tables keep is lost."""

    scripts = _scripts()

    def downgrade(connection: Connection, step: str) -> None:
        _run_steps(connection, scripts, lambda heads, _: scripts._downgrade_revs(step, heads))

    await _run(store, revision, downgrade)


async def compare(store: SqlStore) -> Tables:
    """Compare the tables with this version; creates nothing, not even SQLite's file. Raises
    `DatabaseUnavailable`.
    """
    if store.sqlite and not _is_there(store):
        return Tables.MISSING
    scripts = _scripts()
    found = await _heads(store)
    if not found:
        return Tables.MISSING
    known = {revision.revision for revision in scripts.walk_revisions()}
    if not set(found) <= known:
        return Tables.NEWER
    if set(found) == set(scripts.get_heads()):
        return Tables.CURRENT
    return Tables.OLDER


async def check_tables(store: SqlStore) -> None:
    """Raises `ConfigurationError` that says what to do when the tables are not those of this
    program.
    """
    state = await compare(store)
    if state is not Tables.CURRENT:
        raise ConfigurationError(ADVICE[state])


async def missing_columns(store: SqlStore) -> list[str]:
    """`table.column` of what a current database should have and does not, as after an edited
    migration.
    """

    def look(connection: Connection) -> list[str]:
        inspector = inspect(connection)
        present = {}
        for name in inspector.get_table_names():
            present[name] = {column["name"] for column in inspector.get_columns(name)}

        missing = []
        for table in metadata.sorted_tables:
            for column in table.columns:
                if column.name not in present.get(table.name, set()):
                    missing.append(f"{table.name}.{column.name}")
        return missing

    async with explained(), store.engine.connect() as connection:
        return await connection.run_sync(look)


def _is_there(store: SqlStore) -> bool:
    return Path(store.engine.url.database or "").exists()


async def _heads(store: SqlStore) -> tuple[str, ...]:
    async with explained(), store.engine.connect() as connection:
        return await connection.run_sync(
            lambda c: MigrationContext.configure(c).get_current_heads()
        )


async def _first_step(store: SqlStore, scripts: ScriptDirectory, revision: str) -> str | None:
    """The revision that comes next on the way to `revision`."""
    present = "base"
    if heads := await _heads(store):
        present = heads[0]

    path = [step.revision for step in scripts.iterate_revisions(revision, present)]
    if not path:
        return None
    return path[-1]


def _run_steps(
    connection: Connection, scripts: ScriptDirectory, steps: Callable[[Any, Any], Any]
) -> None:
    """Run the steps that lead on from the heads of the database, as `alembic.command` does."""
    with EnvironmentContext(alembic_config(connection), scripts, fn=steps):
        scripts.run_env()


async def _run(store: SqlStore, step: str, work: Callable[[Connection, str], None]) -> None:
    async with store.engine.connect() as connection, _alone(store, connection):
        await connection.run_sync(work, step)
        await connection.commit()


@asynccontextmanager
async def _alone(store: SqlStore, connection: AsyncConnection) -> AsyncIterator[None]:
    """Let one process migrate at a time.

    SQLite copies a table to change a column of it. Rows that refer to the table forbid that while
    keys are checked.
    """
    if store.sqlite:
        await connection.exec_driver_sql(_CACHE)
        await connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        await connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            await connection.rollback()
            await connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        return
    await connection.exec_driver_sql(f"SELECT pg_advisory_lock({_LOCK})")
    # alembic begins its own transactions, and leaves them where an index is built
    await connection.commit()
    try:
        yield
    finally:
        await connection.rollback()
        await connection.exec_driver_sql(f"SELECT pg_advisory_unlock({_LOCK})")
        await connection.commit()
