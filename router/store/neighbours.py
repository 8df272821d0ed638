"""The calls beside one call in a list."""

from router.domain.calls.call_filter import CallFilter
from router.domain.calls.call_order import CallOrder
from router.store.direct import AnyConnection
from router.store.plans import Planner
from router.store.walks import Position, read_all, read_windows


async def neighbour(
    connection: AnyConnection,
    wanted: CallFilter,
    place: Position,
    *,
    newer: bool,
    bounded: bool = False,
) -> tuple[str | None, bool]:
    """The id of the next newer or older matching call; and whether the search came to the end, as
    it may not if it is `bounded` to what one page may search.
    """
    order = CallOrder(ascending=newer)
    walks = await Planner(connection, wanted, order).plan()
    if not bounded:
        found = await read_all(connection, walks, place, 1)
        return (found[0][-1] if found else None), True
    some = await read_windows(connection, walks, place, 1)
    return (some.places[0][-1] if some.places else None), some.reached is None
