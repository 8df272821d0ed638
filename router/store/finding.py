"""Finds calls, newest first, at a cost that does not depend on the number of calls. A list reads
one index in order of arrival until the page is full: that of calls, tags or search texts. If a
filter matches few calls, they are fetched and sorted instead. Matches are counted first, up to a
limit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    column,
    exists,
    func,
    or_,
    select,
    table,
    tuple_,
)

from router.domain.calls.call import Call, CallFilter
from router.domain.calls.search import FIRST, Search, read_search
from router.store import tables
from router.store.direct import AnyConnection
from router.store.records import from_row

Position = tuple[datetime, str]
_call, _search, _tag = tables.call, tables.call_search, tables.tag
_trigrams = table("call_search_index", column("rowid"), column("call_search_index"))  # SQLite's
TRIGRAM = 3
FEW = 3000  # calls that are fetched and sorted instead of walked
MANY = 20_000  # index entries that a walk may pass; limit of counting
# The fewest calls first, as far as names tell.
_EQUAL = {
    "caller": "ix_call_caller_arrived_at",
    "number": "ix_call_number_arrived_at",
    "visitor_id": "ix_call_visitor_id_arrived_at",
    "state": "ix_call_state_arrived_at_id",
    "site_id": "ix_call_site",
    "verdict": "ix_call_verdict",
    "ending": "ix_call_ending",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """A table to read by arrival, with conditions."""

    source: FromClause
    at: ColumnElement[Any]
    call_id: ColumnElement[Any]
    conditions: Sequence[ColumnElement[bool]]
    index: str | None = None  # that SQLite takes

    def query(self, wanted: CallFilter, before: Position | None, limit: int) -> Select[Any]:
        """The ids of the calls of a page, the newest first."""
        query = (
            select(self.call_id)
            .select_from(self.source)
            .where(*self.conditions, *_times(self.at, wanted))
        )
        if before:
            query = query.where(tuple_(self.at, self.call_id) < before)
        if self.index:
            query = query.with_hint(self.source, f"INDEXED BY {self.index}", "sqlite")
        return query.order_by(self.at.desc(), self.call_id.desc()).limit(limit)


async def find_calls(
    connection: AnyConnection,
    wanted: CallFilter,
    before: Position | None,
    limit: int,
) -> list[Call]:
    """A page of matching calls."""
    walk = await _Planner(connection, wanted).plan()
    page = walk.query(wanted, before, limit).subquery()
    query = select(_call).join(page, page.c[0] == _call.c.id)
    rows = await connection.execute(query.order_by(_call.c.arrived_at.desc(), _call.c.id.desc()))
    return [from_row(Call, row) for row in rows]


class _Planner:
    """Chooses the walk for one filter."""

    def __init__(self, connection: AnyConnection, wanted: CallFilter) -> None:
        self._connection, self._wanted = connection, wanted
        self._sqlite = connection.dialect.name == "sqlite"
        self._search = read_search(wanted.text or "")
        self._tag = wanted.tag.casefold() if wanted.tag else None
        values = {name: getattr(wanted, name) for name in _EQUAL}
        if self._search.caller and values["caller"] in {None, self._search.caller}:
            values["caller"], self._search = self._search.caller, Search(terms=())
        self._equal = {name: value for name, value in values.items() if value is not None}

    async def plan(self) -> Walk:
        """The walk that is shortest."""
        if self._search.terms and (few := await self._few_found()) is not None:
            return self._others(few, with_text=False)
        if not self._equal and not self._tag:
            return self._texts() if self._search.terms else self._calls(None)
        return await self._shortest()

    async def _shortest(self) -> Walk:
        """By the filter with the fewest calls."""
        walks = [self._calls(name) for name in self._equal]
        if self._tag:
            walks.append(self._tags())
        if len(walks) == 1:
            return walks[0]
        counts = [await self._count(walk) for walk in walks]
        return walks[counts.index(min(counts))]

    async def _count(self, walk: Walk) -> int:
        """Rows of this walk's filter in this time, counted up to `MANY`."""
        first = walk.conditions[0]
        return await self._counted(
            select(walk.at).where(first, *_times(walk.at, self._wanted)), MANY
        )

    async def _few_found(self) -> Walk | None:
        """The matching search texts if they are few, sorted by arrival."""
        terms = [
            needles
            for needles in self._search.terms
            if all(len(needle) >= TRIGRAM for needle in needles)
        ]
        if not terms or (len(terms) == 1 and await self._many_begin(terms[0])):
            return None
        ids = _by_fts5(terms) if self._sqlite else select(_search.c.id).where(_by_gin(terms))
        if await self._counted(ids, FEW + 1) > FEW:
            return None
        exact = and_(
            *(or_(*(self._holds(needle) for needle in needles)) for needles in self._search.terms)
        )
        indexed = _search.c.id.in_(ids) if self._sqlite else _by_gin(terms)
        few = select(_search.c.arrived_at, _search.c.call_id).where(indexed, exact).cte("few")
        return Walk(source=few, at=few.c.arrived_at, call_id=few.c.call_id, conditions=())

    async def _many_begin(self, needles: Sequence[str]) -> bool:
        """Whether the first digits match many calls, as a mobile operator's code does."""
        for needle in needles:
            if needle.startswith(FIRST) and needle[1:].isdigit():
                first = f"+{needle[1:]}"
                # ":" comes after "9"
                begins = (
                    _call.c.caller >= first,
                    _call.c.caller < f"{first}:",
                )
                if await self._counted(select(_call.c.caller).where(*begins), FEW + 1) > FEW:
                    return True
        return False

    async def _counted(self, query: Select[Any], most: int) -> int:
        some = query.limit(most).subquery()
        return (await self._connection.execute(select(func.count()).select_from(some))).scalar_one()

    def _calls(self, name: str | None) -> Walk:
        """The calls, by the index of one filter."""
        equal = sorted(self._equal, key=lambda other: other != name)  # the one to be counted first
        conditions = [_call.c[other] == self._equal[other] for other in equal]
        index = _EQUAL[name] if name and len(equal) > 1 else None
        conditions += [*self._tagged(_call.c.id), *self._said(_call.c.id)]
        return Walk(
            source=_call,
            at=_call.c.arrived_at,
            call_id=_call.c.id,
            conditions=conditions,
            index=index,
        )

    def _tags(self) -> Walk:
        walk = Walk(
            source=_tag,
            at=_tag.c.arrived_at,
            call_id=_tag.c.call_id,
            conditions=[_tag.c.name == self._tag],
        )
        return self._others(walk, with_text=True, with_tag=False)

    def _texts(self) -> Walk:
        conditions = [
            or_(*(self._holds(needle) for needle in needles)) for needles in self._search.terms
        ]
        return Walk(
            source=_search,
            at=_search.c.arrived_at,
            call_id=_search.c.call_id,
            conditions=conditions,
            index="ix_call_search_newest",
        )

    def _others(self, walk: Walk, *, with_text: bool, with_tag: bool = True) -> Walk:
        """Add the conditions that the walk's table does not contain."""
        conditions = list(walk.conditions)
        if self._equal:
            same = [_call.c[name] == value for name, value in self._equal.items()]
            conditions.append(exists(select(_call.c.id).where(_call.c.id == walk.call_id, *same)))
        conditions += self._tagged(walk.call_id) if with_tag else []
        conditions += self._said(walk.call_id) if with_text else []
        return Walk(
            source=walk.source,
            at=walk.at,
            call_id=walk.call_id,
            conditions=conditions,
            index=walk.index,
        )

    def _tagged(self, call_id: ColumnElement[Any]) -> list[ColumnElement[bool]]:
        if not self._tag:
            return []
        return [
            exists(
                select(_tag.c.call_id).where(_tag.c.call_id == call_id, _tag.c.name == self._tag)
            )
        ]

    def _said(self, call_id: ColumnElement[Any]) -> list[ColumnElement[bool]]:
        if not self._search.terms:
            return []
        held = [or_(*(self._holds(needle) for needle in needles)) for needles in self._search.terms]
        return [exists(select(_search.c.id).where(_search.c.call_id == call_id, *held))]

    def _holds(self, needle: str) -> ColumnElement[bool]:
        """Prevents index use on purpose: tested on the rows of a walk."""
        place = func.instr if self._sqlite else func.strpos
        return place(_search.c.text, needle) > 0


def _by_fts5(terms: Sequence[Sequence[str]]) -> Select[Any]:
    matching = _trigrams.c.call_search_index.op("MATCH")(
        " AND ".join(_quoted(needles) for needles in terms)
    )
    return select(_trigrams.c.rowid).where(matching)


def _by_gin(terms: Sequence[Sequence[str]]) -> ColumnElement[bool]:
    return and_(*(or_(*(_has_trigrams(needle) for needle in needles)) for needles in terms))


def _has_trigrams(needle: str) -> ColumnElement[bool]:
    return func.ringtrace_trigrams(_search.c.text).op("@>")(func.ringtrace_trigrams(needle))


def _quoted(needles: Sequence[str]) -> str:
    """One of these phrases, in the words of FTS5."""
    doubled = (needle.replace('"', '""') for needle in needles)
    return "(" + " OR ".join(f'"{needle}"' for needle in doubled) + ")"


def _times(at: ColumnElement[Any], wanted: CallFilter) -> list[ColumnElement[bool]]:
    conditions = []
    if wanted.since:
        conditions.append(at >= wanted.since)
    if wanted.until:
        conditions.append(at < wanted.until)
    return conditions
