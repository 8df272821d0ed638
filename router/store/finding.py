"""Finds calls, in the order of a list, at a cost that does not depend on the number of calls: see
`plans` for the index that is read, and `walks` for how far.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import func, select

from router.domain.calls.call import Call
from router.domain.calls.call_filter import CallFilter
from router.domain.calls.call_order import CallOrder
from router.service.calls.ports import Listed
from router.store import tables
from router.store.direct import AnyConnection
from router.store.plans import Planner, times
from router.store.records import from_rows_by
from router.store.walks import COUNTED, Found, Position, read_all, read_windows, union_of

_call, _facet = tables.call, tables.call_facet


async def find_calls(
    connection: AnyConnection, wanted: CallFilter, before: Position | None, limit: int
) -> list[Call]:
    """The newest matching calls, however long it takes."""
    walks = await Planner(connection, wanted).plan()
    return await _calls(connection, await read_all(connection, walks, before, limit))


async def list_calls(
    connection: AnyConnection,
    wanted: CallFilter,
    order: CallOrder,
    before: Position | None,
    limit: int,
    *,
    bounded: bool,
) -> Listed:
    """Matching calls; `bounded`: as far as one request may search."""
    walks = await Planner(connection, wanted, order).plan()
    if bounded:
        found = await read_windows(connection, walks, before, limit)
    else:
        found = Found(await read_all(connection, walks, before, limit))
    calls = await _calls(connection, found.places)
    return Listed(calls=calls, places=found.places, reached=found.reached)


async def _calls(connection: AnyConnection, places: Sequence[Position]) -> list[Call]:
    if not places:
        return []
    ids = [place[-1] for place in places]
    found = await connection.execute(select(_call).where(_call.c.id.in_(ids)))
    calls = from_rows_by("id", Call, found)
    return [calls[call_id] for call_id in ids if call_id in calls]


async def count_calls(connection: AnyConnection, wanted: CallFilter, most: int) -> tuple[int, bool]:
    """How many calls match, counted up to `most` and as far as one request may search; and whether
    these are all.
    """
    walks = await Planner(connection, wanted).plan()
    parts, whole, share = [], True, most // len(walks) + 1
    for walk in walks:
        if not walk.conditions:  # as many entries as calls
            parts.append(walk.query(None, share))
            continue
        size = COUNTED[walk.costly]
        end = (await connection.execute(walk.end_of_window(None, size))).first()
        if end is None:
            parts.append(walk.query(None, share, None))
        else:
            parts.append(walk.query(None, share, tuple(end)))
            whole = False

    every = union_of([select(part.subquery()) for part in parts])
    counted = await connection.execute(select(func.count()).select_from(every.subquery()))
    count = counted.scalar_one()
    return min(count, most), whole and count < share


async def matching_calls(
    connection: AnyConnection, call_ids: Collection[str], wanted: CallFilter
) -> set[str]:
    """Which of these calls match."""
    conditions = [*Planner(connection, wanted).conditions(), *times(_facet.c.arrived_at, wanted)]
    query = select(_facet.c.call_id).where(_facet.c.call_id.in_(list(call_ids)), *conditions)
    return set((await connection.execute(query)).scalars())


async def positions(
    connection: AnyConnection, wanted: CallFilter, before: Position | None, limit: int
) -> list[tuple[datetime, str]]:
    """The arrival and id of matching calls, newest first."""
    found, _ = await places(connection, wanted, before, limit, bounded=False)
    return found


async def places(
    connection: AnyConnection,
    wanted: CallFilter,
    before: Position | None,
    limit: int,
    *,
    bounded: bool,
) -> tuple[list[tuple[datetime, str]], tuple[datetime, str] | None]:
    """The same, and how far a `bounded` search came if it did not come to the end."""
    walks = await Planner(connection, wanted).plan()
    if bounded:
        found = await read_windows(connection, walks, before, limit)
    else:
        found = Found(await read_all(connection, walks, before, limit))
    reached: tuple[datetime, str] | None = None
    if found.reached is not None:
        at, call_id = found.reached
        reached = at, call_id
    return [(at, call_id) for at, call_id in found.places], reached
