"""Calls that something is done with: all that match a filter, or those that were marked."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime

from router.domain.calls.call import Call
from router.domain.calls.call_filter import CallFilter
from router.service.calls.browse import CallLine, lines_of, searching
from router.service.ports import Session, Store

BATCH = 500  # calls of one query
Position = tuple[datetime, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Calls, newest first; a call that arrives later is not among them."""

    wanted: CallFilter = field(default_factory=CallFilter)
    call_ids: tuple[str, ...] | None = None  # these alone, whatever is wanted


def reading(store: Store, selection: Selection) -> AbstractAsyncContextManager[Session]:
    """A transaction that finds some of them."""
    if selection.call_ids is not None:
        return store.read()
    return searching(store, selection.wanted)


async def batches(
    store: Store, selection: Selection, *, before: Position | None = None
) -> AsyncIterator[tuple[CallLine, ...]]:
    """The calls with what lists show beside them, a transaction for each batch."""
    while True:
        async with reading(store, selection) as session:
            calls = await _some(session, selection, before)
            lines = await lines_of(session, calls)
        if lines:
            yield lines
        if len(calls) < BATCH:
            return
        before = (calls[-1].arrived_at, calls[-1].id)


async def _some(session: Session, selection: Selection, before: Position | None) -> Sequence[Call]:
    if selection.call_ids is None:
        return await session.calls.find(selection.wanted, before=before, limit=BATCH)
    marked = await session.get_many(Call, set(selection.call_ids))
    ordered = sorted(marked.values(), key=lambda call: (call.arrived_at, call.id), reverse=True)
    older = [call for call in ordered if before is None or (call.arrived_at, call.id) < before]
    return older[:BATCH]


async def ids_in_batches(store: Store, selection: Selection, size: int) -> AsyncIterator[list[str]]:
    """The ids of the calls, in lists of at most `size`."""
    if selection.call_ids is not None:
        marked = list(dict.fromkeys(selection.call_ids))
        for start in range(0, len(marked), size):
            yield marked[start : start + size]
        return

    before: Position | None = None
    while True:
        async with reading(store, selection) as session:
            found = await session.calls.positions(selection.wanted, before=before, limit=size)
        if found:
            yield [call_id for _, call_id in found]
        if len(found) < size:
            return
        before = found[-1]
