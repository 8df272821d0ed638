"""Reads indexes in the order of a list, a window at a time: a search without matches ends after so
many entries and says how far it came.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    FromClause,
    Select,
    and_,
    select,
    tuple_,
    union,
)

from router.domain.calls.call_order import NEWEST, CallOrder
from router.store.direct import AnyConnection

Position = tuple[Any, ...]  # the sorted columns of a call: its figure, if any; arrival; id
Condition = ColumnElement[bool]
# entries of an index that one page may pass: at first few, for most lists are full soon
CHEAP = (2_000, 60_000)
COSTLY = (500, 8_000)  # where each entry is looked up in another table
COUNTED = {False: 30_000, True: 5_000}  # that a count may pass; costly ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """An index to read, and what is tested on its entries."""

    source: FromClause
    keys: Sequence[ColumnElement[Any]]  # the sorted columns
    entries: Sequence[Condition]  # what the index finds
    conditions: Sequence[Condition] = ()
    index: str | None = None  # that SQLite takes
    costly: bool = False
    own: bool = False  # the conditions are on the entries alone, not on other tables
    order: CallOrder = NEWEST

    def query(
        self, before: Position | None, limit: int | None, floor: Position | None = None
    ) -> Select[Any]:
        """The sorted columns of the calls after `before`, up to and with `floor`."""
        query = self._between(before, floor).where(*self.conditions)
        return self._sorted(query).limit(limit)

    def window(self, before: Position | None, limit: int, size: int) -> Select[Any]:
        """The sorted columns of at most `limit` calls among so many entries after `before`: each
        entry is read once, and in the order of the index, whatever the conditions are.
        """
        entries = self._sorted(self._between(before, None)).limit(size)
        if not self.conditions:
            return entries.limit(min(limit, size))
        tested = entries.add_columns(and_(*self.conditions).label("matches")).subquery()
        *keys, matches = tested.c
        return select(*keys).where(matches).limit(limit)

    def end_of_window(self, before: Position | None, size: int) -> Select[Any]:
        """The last of so many entries after `before`."""
        return self._sorted(self._between(before, None)).offset(size - 1).limit(1)

    def _between(self, before: Position | None, floor: Position | None) -> Select[Any]:
        query = select(*self.keys).select_from(self.source).where(*self.entries)
        place, up = tuple_(*self.keys), self.order.ascending
        if before and up:
            query = query.where(place > before)
        elif before:
            query = query.where(place < before)

        if floor and up:
            query = query.where(place <= floor)
        elif floor:
            query = query.where(place >= floor)

        if self.index:
            query = query.with_hint(self.source, f"INDEXED BY {self.index}", "sqlite")
        return query

    def _sorted(self, query: Select[Any]) -> Select[Any]:
        return query.order_by(*in_order(self.keys, self.order))


@dataclass(frozen=True, slots=True)
class Found:
    """The places of calls; `reached`: the search ended here, and there may be more behind it."""

    places: list[Position]
    reached: Position | None = None


async def read_windows(
    connection: AnyConnection, walks: Sequence[Walk], before: Position | None, limit: int
) -> Found:
    """At most `limit` calls, in the order of the list, as far as the windows reach."""
    found: list[Position] = []
    sizes = CHEAP
    if any(walk.costly for walk in walks):
        sizes = COSTLY

    for size in sizes:
        some, floor = await _read_window(connection, walks, before, limit - len(found), size)
        found += some
        if floor is None or len(found) == limit:
            return Found(found)
        before = floor
    return Found(found, reached=before)


async def _read_window(
    connection: AnyConnection,
    walks: Sequence[Walk],
    before: Position | None,
    limit: int,
    size: int,
) -> tuple[list[Position], Position | None]:
    """Calls among so many entries, and the end of the window, if there is one and all calls before
    it were found.
    """
    if len(walks) == 1 and walks[0].own:
        rows = await connection.execute(walks[0].window(before, limit, size))
        found = [tuple(row) for row in rows]
        is_full = len(found) == limit
        return found, None if is_full else await _floor(connection, walks, before, size)
    floor = await _floor(connection, walks, before, size)
    return await _read(connection, walks, before, limit, floor), floor


async def read_all(
    connection: AnyConnection, walks: Sequence[Walk], before: Position | None, limit: int
) -> list[Position]:
    """At most `limit` calls, however long it takes."""
    return await _read(connection, walks, before, limit, None)


async def _floor(
    connection: AnyConnection, walks: Sequence[Walk], before: Position | None, size: int
) -> Position | None:
    """How far all walks may go together."""
    ends = []
    for walk in walks:
        row = (await connection.execute(walk.end_of_window(before, size))).first()
        if row is not None:
            ends.append(tuple(row))
    if not ends:
        return None
    if walks[0].order.ascending:
        return min(ends)
    return max(ends)


async def _read(
    connection: AnyConnection,
    walks: Sequence[Walk],
    before: Position | None,
    limit: int,
    floor: Position | None,
) -> list[Position]:
    if len(walks) == 1:
        rows = await connection.execute(walks[0].query(before, limit, floor))
        return [tuple(row) for row in rows]
    parts = [select(walk.query(before, limit, floor).subquery()) for walk in walks]
    every = union(*parts).subquery()  # a call may be found twice
    query = select(every).order_by(*in_order(list(every.c), walks[0].order)).limit(limit)
    return [tuple(row) for row in await connection.execute(query)]


def in_order(keys: Sequence[ColumnElement[Any]], order: CallOrder) -> list[ColumnElement[Any]]:
    """The columns, as ORDER BY wants them."""
    if order.ascending:
        return [key.asc() for key in keys]
    return [key.desc() for key in keys]


def union_of(queries: Sequence[Select[Any]]) -> Select[Any] | CompoundSelect[Any]:
    """The rows of all these queries; of a single one, the query itself."""
    if len(queries) == 1:
        return queries[0]
    return union(*queries)
