"""Marking calls as reviewed."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from router.domain.calls.review import Review
from router.service.ports import Store

AT_ONCE = 200  # calls of one transaction


async def review_calls(store: Store, ids: Sequence[str], person: str, now: datetime) -> int:
    """Mark calls as reviewed; returns how many were not. A call keeps its first review, and ids
    without a call are ignored.
    """
    marked = 0
    for some in _batches(ids):
        async with store.write() as session:
            await session.calls.lock()
            new = [Review(call_id=call_id, person=person, at=now) for call_id in some]
            changed = await session.reviews.add(new)
            await session.calls.touch(*changed)
        marked += len(changed)
    return marked


async def unreview_calls(store: Store, ids: Sequence[str]) -> int:
    """Mark calls as not reviewed; returns how many were."""
    marked = 0
    for some in _batches(ids):
        async with store.write() as session:
            await session.calls.lock()
            changed = await session.reviews.remove(some)
            await session.calls.touch(*changed)
        marked += len(changed)
    return marked


def _batches(ids: Sequence[str]) -> Iterator[list[str]]:
    different = list(dict.fromkeys(ids))
    for start in range(0, len(different), AT_ONCE):
        yield different[start : start + AT_ONCE]
