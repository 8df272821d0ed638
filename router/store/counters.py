"""Counters that let readers notice changes."""

from sqlalchemy import bindparam, select, update

from router.store import tables
from router.store.direct import AnyConnection

_NAMED = tables.counter.c.name == bindparam("counter")
_VALUE = select(tables.counter.c.value).where(_NAMED)
_LOCKING = _VALUE.with_for_update()
_COUNTING = (
    update(tables.counter)
    .where(_NAMED)
    .values(value=tables.counter.c.value + 1)
    .returning(tables.counter.c.value)
)


async def counter(connection: AnyConnection, name: str) -> int:
    """The counter's value."""
    return (await connection.execute(_VALUE, {"counter": name})).scalar() or 0


async def lock_counter(connection: AnyConnection, name: str) -> None:
    """Lock the counter until the transaction ends; SQLite has one writer anyway."""
    await connection.execute(_LOCKING, {"counter": name})


async def count_up(connection: AnyConnection, name: str) -> int:
    """Increment. Waits for other writers, so numbers are in the order of commits."""
    return int((await connection.execute(_COUNTING, {"counter": name})).scalar_one())
