"""The calls beside one call in the list that it was opened from."""

from dataclasses import dataclass, replace
from enum import StrEnum

from router.domain.calls.call import Call
from router.domain.calls.call_filter import CallFilter
from router.service.calls.browse import searching
from router.service.ports import Session, Store


class Beside(StrEnum):
    """Which call is looked for. Lists begin with the newest call."""

    PREVIOUS = "previous"
    NEXT = "next"
    FOLLOWING = "following"  # the next one with a recording


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The id of a call, or None where the list ends; not certain: it was not found in the time
    that a page has.
    """

    id: str | None = None
    is_certain: bool = True


async def neighbours_of(store: Store, call: Call, wanted: CallFilter) -> dict[Beside, Neighbour]:
    """The calls before and after this one, whether or not it still matches itself."""
    async with searching(store, wanted) as session:
        return {which: await _find(session, call, wanted, which, bounded=True) for which in Beside}


async def find_neighbour(
    store: Store, call_id: str, wanted: CallFilter, which: Beside
) -> str | None:
    """One of them, however long it takes. Raises `NotFound`."""
    async with store.survey() as session:
        call = await session.get(Call, call_id)
        return (await _find(session, call, wanted, which, bounded=False)).id


async def _find(
    session: Session, call: Call, wanted: CallFilter, which: Beside, *, bounded: bool
) -> Neighbour:
    if which is Beside.FOLLOWING:
        if wanted.recorded is False:
            return Neighbour()
        wanted = replace(wanted, recorded=True)
    newer, place = which is Beside.PREVIOUS, (call.arrived_at, call.id)
    found = await session.calls.neighbour(wanted, place, newer=newer, bounded=bounded)
    return Neighbour(*found)
