"""Statements that insert or update rows."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.dialects import postgresql, sqlite

from router.store.direct import AnyConnection
from router.store.records import DERIVED


async def upsert(connection: AnyConnection, table: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Insert or replace, many rows in one statement."""
    if rows:
        await connection.execute(_upserting(table, connection.dialect.name), list(rows))


async def add_absent(connection: AnyConnection, table: Any, row: dict[str, Any]) -> None:
    """Insert rows that are not there."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    await connection.execute(dialect.insert(table).values(row).on_conflict_do_nothing())


@cache
def _upserting(table: Any, dialect: str) -> Executable:
    # built once: building a statement costs more than carrying it out
    statement: Any = (sqlite if dialect == "sqlite" else postgresql).insert(table)
    derived = DERIVED.get(table, {})
    if derived:
        statement = statement.values(derived)
    keys = [column.name for column in table.primary_key.columns]
    others = {
        c.name: statement.excluded[c.name] for c in table.c if c.name not in {*keys, *derived}
    }
    whole: Executable = (
        statement.on_conflict_do_update(index_elements=keys, set_=others)
        if others
        else statement.on_conflict_do_nothing()
    )
    return whole
