"""The calls beside one call in a list."""

from collections.abc import Sequence

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
        return _first_id(await read_all(connection, walks, place, 1)), True
    some = await read_windows(connection, walks, place, 1)
    return _first_id(some.places), some.reached is None


def _first_id(places: Sequence[Position]) -> str | None:
    if not places:
        return None
    call_id: str = places[0][-1]
    return call_id
