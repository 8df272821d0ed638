"""Calls and their tags in the store."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Executable, bindparam, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from router.domain.calls.call import Call, CallFilter, Ending, State, Tag
from router.domain.calls.search import search_text
from router.errors import NotFound
from router.store import tables
from router.store.direct import DirectConnection
from router.store.finding import find_calls
from router.store.records import from_row, to_new_row, to_row

_call, _search, _tag = tables.call, tables.call_search, tables.tag
_ENDED = select(_call.c.id).where(
    _call.c.id.in_(bindparam("ids", expanding=True)),
    _call.c.state == State.ENDED,
    or_(_call.c.ending.is_(None), _call.c.ending != Ending.NOT_LOGGED),
)

_OPEN = (State.RINGING, State.TALKING)


class Calls:
    """The part of a session that knows calls."""

    connection: AsyncConnection | DirectConnection

    if TYPE_CHECKING:

        async def _upsert(self, table: Any, rows: Sequence[dict[str, Any]]) -> None: ...
        async def _counter(self, name: str) -> int: ...
        async def _count(self, name: str) -> int: ...
        async def _hold(self, name: str) -> None: ...

    async def save_calls(self, calls: Sequence[Call]) -> None:
        """Write calls as they are now; all of them get the next revision."""
        if not calls:
            return
        revision = await self._count("calls")
        await self._upsert(_call, [{**to_row(call), "revision": revision} for call in calls])
        found_by = [
            {"call_id": c.id, "arrived_at": c.arrived_at, "text": search_text(c)} for c in calls
        ]
        await self.connection.execute(_making_findable(self.connection.dialect.name), found_by)

    async def hold_calls(self) -> None:
        """Nobody else changes calls until the transaction ends: what is read of them now may be
        written back.
        """
        await self._hold("calls")

    async def calls(
        self, wanted: CallFilter, *, before: tuple[datetime, str] | None = None, limit: int = 50
    ) -> list[Call]:
        """Calls that fit, the newest first, older than `before` (arrival and id of the last one
        seen).
        """
        return await find_calls(self.connection, wanted, before, limit)

    async def calls_newer_than(self, revision: int, limit: int = 200) -> list[Call]:
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
        return [from_row(Call, row) for row in rows]

    async def count_newer(self, revision: int, most: int) -> int:
        """How many calls have changed after `revision`; counted no further than to `most`."""
        newer = select(_call.c.revision).where(_call.c.revision > revision).limit(most).subquery()
        return (await self.connection.execute(select(func.count()).select_from(newer))).scalar_one()

    async def revision(self) -> int:
        """The revision of the newest change."""
        return await self._counter("calls")

    async def touch_call(self, call_id: str) -> None:
        """Something that belongs to the call changed: pages that show it should look again. Raises
        `NotFound`.
        """
        revision = await self._count("calls")
        done = await self.connection.execute(
            update(_call).where(_call.c.id == call_id).values(revision=revision)
        )
        if done.rowcount == 0:
            raise NotFound(f"There is no call '{call_id}' here.")

    async def ended_calls(self, ids: Sequence[str]) -> set[str]:
        """Those of `ids` that have ended already; of one that was not in the CEL log more may be
        learned.
        """
        return set((await self.connection.execute(_ENDED, {"ids": list(ids)})).scalars())

    async def open_calls(self) -> list[Call]:
        """Calls that have not ended, of all Asterisks, the oldest first."""
        query = select(_call).where(_call.c.state.in_(_OPEN)).order_by(_call.c.arrived_at)
        return [from_row(Call, row) for row in await self.connection.execute(query)]

    async def tags(self, call_ids: Sequence[str]) -> dict[str, list[Tag]]:
        """The tags of these calls."""
        found: dict[str, list[Tag]] = {}
        if call_ids:
            query = (
                select(_tag).where(_tag.c.call_id.in_(call_ids)).order_by(_tag.c.at, _tag.c.name)
            )
            for row in await self.connection.execute(query):
                found.setdefault(row.call_id, []).append(from_row(Tag, row))
        return found

    async def set_tag(self, *tags: Tag) -> None:
        """Set tags; one that is there already stays as it is."""
        present = await self.tags([tag.call_id for tag in tags])
        new = [
            tag for tag in tags if tag.name not in {t.name for t in present.get(tag.call_id, ())}
        ]
        await self._upsert(_tag, [to_new_row(tag) for tag in new])

    async def remove_tag(self, call_id: str, name: str) -> None:
        """Take a tag off, if it is there."""
        await self.connection.execute(
            delete(_tag).where(_tag.c.call_id == call_id, _tag.c.name == name)
        )


@cache
def _making_findable(dialect: str) -> Executable:
    """Most changes of a call change nothing that it is found by."""
    statement: Any = (sqlite if dialect == "sqlite" else postgresql).insert(_search)
    new = {"text": statement.excluded.text, "arrived_at": statement.excluded.arrived_at}
    whole: Executable = statement.on_conflict_do_update(
        index_elements=["call_id"], set_=new, where=_search.c.text != statement.excluded.text
    )
    return whole
