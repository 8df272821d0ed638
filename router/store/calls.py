"""Calls in the store."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    bindparam,
    func,
    or_,
    select,
    update,
)

from router.domain.calls.call import Call, Ending, State
from router.domain.calls.call_filter import CallFilter
from router.domain.calls.call_order import CallOrder
from router.errors import NotFound
from router.service.calls.ports import Facets, Listed, Place
from router.store import tables
from router.store.call_facets import write_facets
from router.store.counters import count_up, counter, lock_counter
from router.store.direct import AnyConnection
from router.store.finding import (
    count_calls,
    find_calls,
    list_calls,
    matching_calls,
    places,
    positions,
)
from router.store.listed import facets_of, values_of
from router.store.neighbours import neighbour
from router.store.records import TABLES, from_rows, from_rows_by, to_row
from router.store.writing import upsert

_call = tables.call
_ENDED = select(_call.c.id).where(
    _call.c.id.in_(bindparam("ids", expanding=True)),
    _call.c.state == State.ENDED,
    or_(_call.c.ending.is_(None), _call.c.ending != Ending.NOT_LOGGED),
)

_OPEN = (State.RINGING, State.TALKING)
_IDENTITIES = select(_call.c.id, _call.c.code, _call.c.visitor_id, _call.c.probability).where(
    _call.c.id.in_(bindparam("ids", expanding=True))
)


@dataclass(frozen=True, slots=True)
class SqlCalls:
    """The `Calls` of `router.service.calls.ports`."""

    connection: AnyConnection

    async def save(self, calls: Sequence[Call]) -> None:
        """Save calls; all of them get the next revision."""
        if not calls:
            return
        revision = await count_up(self.connection, "calls")
        rows = [{**to_row(call), "revision": revision} for call in calls]
        await upsert(self.connection, _call, rows)
        await write_facets(self.connection, [call.id for call in calls])

    async def lock(self) -> None:
        """Lock calls until the transaction ends, so that they can be read and written back."""
        await lock_counter(self.connection, "calls")

    async def find(
        self, wanted: CallFilter, *, before: tuple[datetime, str] | None = None, limit: int = 50
    ) -> list[Call]:
        """Matching calls, newest first, older than `before` (arrival and id of the last one)."""
        return await find_calls(self.connection, wanted, before, limit)

    async def neighbour(
        self,
        wanted: CallFilter,
        place: tuple[datetime, str],
        *,
        newer: bool,
        bounded: bool = False,
    ) -> tuple[str | None, bool]:
        """The id of the matching call next to `place` (arrival and id), newer or older; and whether
        the search came to the end.
        """
        return await neighbour(self.connection, wanted, place, newer=newer, bounded=bounded)

    async def page(
        self,
        wanted: CallFilter,
        order: CallOrder,
        *,
        before: Place | None,
        limit: int,
        bounded: bool,
    ) -> Listed:
        """Matching calls after `before`; `bounded`: as far as one request may search."""
        return await list_calls(self.connection, wanted, order, before, limit, bounded=bounded)

    async def newer_than(self, revision: int, limit: int = 200) -> list[Call]:
        """Calls changed after `revision`, in the order of their changes; never a part of one
        revision.
        """
        newer = (
            select(_call.c.revision)
            .where(_call.c.revision > revision)
            .order_by(_call.c.revision)
            .limit(limit)
        )
        last = max((await self.connection.execute(newer)).scalars(), default=None)
        if last is None:
            return []
        query = select(_call).where(_call.c.revision > revision, _call.c.revision <= last)
        rows = await self.connection.execute(query.order_by(_call.c.revision, _call.c.arrived_at))
        return from_rows(Call, rows)

    async def count_newer(self, revision: int, most: int) -> int:
        """How many calls changed after `revision`, counted up to `most`."""
        newer = select(_call.c.revision).where(_call.c.revision > revision).limit(most).subquery()
        return (await self.connection.execute(select(func.count()).select_from(newer))).scalar_one()

    async def revision(self) -> int:
        """The revision of the newest change."""
        return await counter(self.connection, "calls")

    async def touch(self, *call_ids: str) -> None:
        """Mark calls as changed, so that pages that show them update. Raises `NotFound`."""
        if not call_ids:
            return
        revision = await count_up(self.connection, "calls")
        done = await self.connection.execute(
            update(_call).where(_call.c.id.in_(call_ids)).values(revision=revision)
        )
        if done.rowcount < len(call_ids):
            raise NotFound(f"There is no call '{call_ids[0]}'.")
        await write_facets(self.connection, call_ids)

    async def count(self, wanted: CallFilter, most: int) -> int:
        """How many calls match, counted up to `most`."""
        return len(await positions(self.connection, wanted, None, most))

    async def count_some(self, wanted: CallFilter, most: int) -> tuple[int, bool]:
        """How many calls match, counted up to `most` and as far as one request may search; and
        whether these are all.
        """
        return await count_calls(self.connection, wanted, most)

    async def values(self, name: str, since: datetime, most: int) -> list[str]:
        """The values of this filter in calls since then, the most frequent first."""
        return await values_of(self.connection, name, since, most)

    async def positions(
        self, wanted: CallFilter, *, before: tuple[datetime, str] | None = None, limit: int = 50
    ) -> list[tuple[datetime, str]]:
        """The arrival and id of matching calls, as `find` orders them."""
        return await positions(self.connection, wanted, before, limit)

    async def places(
        self, wanted: CallFilter, *, before: Place | None, limit: int, bounded: bool
    ) -> tuple[list[tuple[datetime, str]], tuple[datetime, str] | None]:
        """The same; `bounded`: as far as one request may search. And the place that the search
        reached, if there may be more behind it.
        """
        return await places(self.connection, wanted, before, limit, bounded=bounded)

    async def facets(self, call_ids: Collection[str]) -> dict[str, Facets]:
        """The facets of these calls."""
        return await facets_of(self.connection, call_ids)

    async def matching(self, call_ids: Collection[str], wanted: CallFilter) -> set[str]:
        """Which of these calls match."""
        return await matching_calls(self.connection, call_ids, wanted)

    async def ended(self, ids: Sequence[str]) -> set[str]:
        """Which of `ids` have ended; calls that were not in the CEL log may still get data."""
        return set((await self.connection.execute(_ENDED, {"ids": list(ids)})).scalars())

    async def unfinished(self) -> list[Call]:
        """Open calls of all Asterisks, oldest first."""
        query = select(_call).where(_call.c.state.in_(_OPEN)).order_by(_call.c.arrived_at)
        return from_rows(Call, await self.connection.execute(query))

    async def reattributed(self, known: Collection[Call]) -> dict[str, Call]:
        """Those of these calls whose attribution changed since, with their present values."""
        if not known:
            return {}
        ours = {call.id: (call.code, call.visitor_id, call.probability) for call in known}
        rows = await self.connection.execute(_IDENTITIES, {"ids": list(ours)})
        changed = []
        for row in rows:
            if (row.code, row.visitor_id, row.probability) != ours[row.id]:
                changed.append(row.id)

        if not changed:
            return {}
        found = await self.connection.execute(select(TABLES[Call]).where(_call.c.id.in_(changed)))
        return from_rows_by("id", Call, found)
