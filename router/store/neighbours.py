"""The calls beside one call in a list."""

from sqlalchemy import tuple_

from router.domain.calls.call_filter import CallFilter
from router.store.direct import AnyConnection
from router.store.finding import Planner, Position


async def neighbour(
    connection: AnyConnection, wanted: CallFilter, place: Position, *, newer: bool
) -> str | None:
    """The id of the next newer or older matching call."""
    walk = await Planner(connection, wanted).plan()
    query = walk.query(wanted, None if newer else place, 1)
    if newer:
        query = query.where(tuple_(walk.at, walk.call_id) > place)
        query = query.order_by(None).order_by(walk.at, walk.call_id)
    row = (await connection.execute(query)).first()
    return row[1] if row else None
