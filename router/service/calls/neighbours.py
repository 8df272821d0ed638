"""The calls beside one call in the list that it was opened from."""

from dataclasses import dataclass, replace

from router.domain.calls.call import Call
from router.domain.calls.call_filter import CallFilter
from router.service.ports import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Ids of calls; None where the list ends. Lists begin with the newest call."""

    previous: str | None = None
    next: str | None = None
    following: str | None = None  # the next one with a recording


async def neighbours_of(store: Store, call: Call, wanted: CallFilter) -> Neighbours:
    """The calls before and after this one, whether or not it still matches itself."""
    place = (call.arrived_at, call.id)
    async with store.survey() if wanted.text else store.read() as session:
        find = session.calls.neighbour
        following = None
        if wanted.recorded is not False:
            following = await find(replace(wanted, recorded=True), place, newer=False)
        return Neighbours(
            previous=await find(wanted, place, newer=True),
            next=await find(wanted, place, newer=False),
            following=following,
        )
