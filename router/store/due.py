"""Rows for the worker, with a state and a due time."""

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, Table, bindparam, func, select

from router.store.direct import AnyConnection


@cache
def due_rows(table: Table, waiting: str) -> Select[Any]:
    """The first rows in this state that are due at `now`, at most `most`.

    They are locked until the transaction ends, so that workers do not take the same ones.
    """
    return (
        select(table)
        .where(table.c.state == waiting, table.c.due_at <= bindparam("now"))
        .order_by(table.c.due_at)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
    )


async def next_due(connection: AnyConnection, table: Table, waiting: str) -> datetime | None:
    """When the next row in this state is due."""
    moment: datetime | None = (await connection.execute(_next_due(table, waiting))).scalar()
    return moment


@cache
def _next_due(table: Table, waiting: str) -> Select[Any]:
    return select(func.min(table.c.due_at)).where(table.c.state == waiting)
