"""Statements that insert or update rows."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Executable, func
from sqlalchemy.dialects import postgresql, sqlite

from router.store.direct import AnyConnection
from router.store.records import DERIVED


async def upsert(connection: AnyConnection, table: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Insert or replace, many rows in one statement."""
    if rows:
        await connection.execute(_upserting(table, connection.dialect.name), list(rows))


async def add_absent(connection: AnyConnection, table: Any, row: dict[str, Any]) -> None:
    """Insert rows that are not there."""
    adding = insert_into(table, connection.dialect.name)
    await connection.execute(adding.values(row).on_conflict_do_nothing())


def place_of(connection: AnyConnection) -> Any:
    """The function that finds a text in a text: its place, 0 without."""
    if connection.dialect.name == "sqlite":
        return func.instr
    return func.strpos


def insert_into(table: Any, dialect: str) -> Any:
    """An insert that can say what happens when its key is taken."""
    if dialect == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


@cache
def _upserting(table: Any, dialect: str) -> Executable:
    # built once: building a statement costs more than carrying it out
    statement = insert_into(table, dialect)
    derived = DERIVED.get(table, {})
    if derived:
        statement = statement.values(derived)
    keys = [column.name for column in table.primary_key.columns]
    others = {}
    for c in table.c:
        if c.name not in {*keys, *derived}:
            others[c.name] = statement.excluded[c.name]

    whole: Executable = statement.on_conflict_do_nothing()
    if others:
        whole = statement.on_conflict_do_update(index_elements=keys, set_=others)
    return whole
