"""Finds calls, newest first, at a cost that does not depend on the number of calls. A list reads
one index in order of arrival until the page is full: that of facets, tags or search texts. If a
search matches few calls, they are fetched and sorted instead. Matches are counted first, up to a
limit.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    union,
)

from router.domain.calls.call import Call
from router.domain.calls.call_filter import CallFilter
from router.domain.calls.search import COMMENTED, FIRST, Search, read_search
from router.store import said, tables
from router.store.direct import AnyConnection
from router.store.facet_conditions import INDEXED, facet_conditions, tag_conditions
from router.store.records import from_row
from router.store.trigrams import by_fts5, by_gin

Position = tuple[datetime, str]
_call, _facet, _search, _tag = tables.call, tables.call_facet, tables.call_search, tables.tag
_other = tables.call_search.alias("other")  # the same call's
TRIGRAM = 3
FEW = 3000  # calls that are fetched and sorted instead of walked
MANY = 20_000  # index entries that a walk may pass; limit of counting


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """A table to read by arrival, with conditions."""

    source: FromClause
    at: ColumnElement[Any]
    call_id: ColumnElement[Any]
    conditions: Sequence[ColumnElement[bool]]
    index: str | None = None  # that SQLite takes

    def query(self, wanted: CallFilter, before: Position | None, limit: int) -> Select[Any]:
        """The arrival and id of the calls of a page, the newest first."""
        query = (
            select(self.at, self.call_id)
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
    walk = await Planner(connection, wanted).plan()
    page = walk.query(wanted, before, limit).subquery()
    query = select(_call).join(page, page.c[1] == _call.c.id)
    rows = await connection.execute(query.order_by(_call.c.arrived_at.desc(), _call.c.id.desc()))
    return [from_row(Call, row) for row in rows]


async def count_calls(connection: AnyConnection, wanted: CallFilter, most: int) -> int:
    """How many calls match, counted up to `most`."""
    walk = await Planner(connection, wanted).plan()
    some = walk.query(wanted, None, most).subquery()
    return (await connection.execute(select(func.count()).select_from(some))).scalar_one()


async def matching_calls(
    connection: AnyConnection, call_ids: Collection[str], wanted: CallFilter
) -> set[str]:
    """Which of these calls match."""
    conditions = [
        *facet_conditions(_facet, wanted),
        *tag_conditions(_facet.c.call_id, wanted),
        *_times(_facet.c.arrived_at, wanted),
        *Planner(connection, wanted).holds_text(_facet.c.call_id),
    ]
    query = select(_facet.c.call_id).where(_facet.c.call_id.in_(list(call_ids)), *conditions)
    return set((await connection.execute(query)).scalars())


async def positions(
    connection: AnyConnection, wanted: CallFilter, before: Position | None, limit: int
) -> list[Position]:
    """The arrival and id of matching calls, newest first."""
    walk = await Planner(connection, wanted).plan()
    rows = await connection.execute(walk.query(wanted, before, limit))
    return [(at, call_id) for at, call_id in rows]


class Planner:
    """Chooses the walk for one filter."""

    def __init__(self, connection: AnyConnection, wanted: CallFilter) -> None:
        self._connection, self._wanted = connection, wanted
        self._sqlite = connection.dialect.name == "sqlite"
        self._search = read_search(wanted.text or "")

    async def plan(self) -> Walk:
        """The walk that is shortest."""
        if self._search.said and not (await self._connection.execute(said.ANY)).scalar_one():
            self._search = replace(self._search, said=())
        if self._search.terms and (few := await self._few_found()) is not None:
            return self._others(few)

        walks = [self._facets(name) for name in self._indexed()]
        if self._tag():
            walks.append(self._tags())
        if not walks:
            return self._texts() if self._search.terms else self._facets(None)
        if len(walks) == 1:
            return walks[0]
        counts = [await self._count(walk) for walk in walks]
        return walks[counts.index(min(counts))]

    def holds_text(self, call_id: ColumnElement[Any]) -> list[ColumnElement[bool]]:
        """The conditions of the search text, for another table."""
        if not self._search.terms:
            return []
        held = self._texts_hold()
        return [exists(select(_search.c.id).where(_search.c.call_id == call_id, *held))]

    def _indexed(self) -> list[str]:
        """The filters of one value that have an index."""
        choices = {name: self._wanted.among(name) for name in INDEXED}
        if self._search.caller and choices["caller"] is None:
            self._wanted = self._with_caller(self._search.caller)
            choices["caller"] = self._wanted.among("caller")
        return [
            name
            for name, choice in choices.items()
            if choice and not choice.excluded and len(choice.values) == 1
        ]

    def _with_caller(self, caller: str) -> CallFilter:
        """A whole number that was typed is found by the caller's index."""
        self._search = Search(terms=())
        return replace(self._wanted, caller=caller)

    def _tag(self) -> str | None:
        choice = self._wanted.among("tag")
        if choice is None or choice.excluded or len(choice.values) != 1:
            return None
        return choice.values[0].casefold()

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
        ids = by_fts5(terms) if self._sqlite else select(_search.c.id).where(by_gin(terms))
        if await self._counted(ids, FEW + 1) > FEW:
            return None
        places = [_search.c.id.in_(ids) if self._sqlite else by_gin(terms)]
        if self._search.said:
            heard = said.calls_that_hold(self._search.said, sqlite=self._sqlite)
            if await self._counted(heard, FEW + 1) > FEW:
                return None
            places.append(_search.c.call_id.in_(heard))
        found = [
            select(_search.c.arrived_at, _search.c.call_id).where(place, *self._texts_hold())
            for place in places
        ]
        few = (union(*found) if len(found) > 1 else found[0]).cte("few")
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

    def _facets(self, name: str | None) -> Walk:
        """The facets, by the index of one filter."""
        conditions = [
            *facet_conditions(_facet, self._wanted, first=name),
            *tag_conditions(_facet.c.call_id, self._wanted),
            *self.holds_text(_facet.c.call_id),
        ]
        return Walk(
            source=_facet,
            at=_facet.c.arrived_at,
            call_id=_facet.c.call_id,
            conditions=conditions,
            index=INDEXED[name] if name else None,
        )

    def _tags(self) -> Walk:
        walk = Walk(
            source=_tag,
            at=_tag.c.arrived_at,
            call_id=_tag.c.call_id,
            conditions=[_tag.c.name == self._tag(), *self.holds_text(_tag.c.call_id)],
        )
        return self._others(walk)

    def _texts(self) -> Walk:
        walk = Walk(
            source=_search,
            at=_search.c.arrived_at,
            call_id=_search.c.call_id,
            conditions=self._texts_hold(),
            index="ix_call_search_newest",
        )
        return self._others(walk)

    def _others(self, walk: Walk) -> Walk:
        """Add the conditions that the walk's table does not contain."""
        conditions = list(walk.conditions)
        if facets := facet_conditions(_facet, self._wanted):
            same = (_facet.c.arrived_at == walk.at, _facet.c.call_id == walk.call_id)
            conditions.append(exists(select(literal(1)).select_from(_facet).where(*same, *facets)))
        conditions += tag_conditions(walk.call_id, self._wanted)
        return replace(walk, conditions=conditions)

    def _texts_hold(self) -> list[ColumnElement[bool]]:
        named = self._hold(self._search.terms)
        if not self._search.said:
            return named
        heard = said.holds(_search.c.call_id, self._search.said, sqlite=self._sqlite)
        return [or_(and_(*named), and_(*self._hold(self._search.numbers), heard))]

    def _hold(self, terms: Sequence[Sequence[str]]) -> list[ColumnElement[bool]]:
        return [or_(*(self._holds(needle) for needle in needles)) for needles in terms]

    def _holds(self, needle: str) -> ColumnElement[bool]:
        """Prevents index use on purpose: tested on the rows of a walk."""
        place = func.instr if self._sqlite else func.strpos
        same = (_other.c.call_id == _search.c.call_id, place(_other.c.comments, needle) > 0)
        # only calls with comments are looked up once more
        return or_(
            place(_search.c.text, needle) > 0,
            and_(
                place(_search.c.text, COMMENTED) > 0,
                exists(select(literal(1)).select_from(_other).where(*same)),
            ),
        )


def _times(at: ColumnElement[Any], wanted: CallFilter) -> list[ColumnElement[bool]]:
    conditions = []
    if wanted.since:
        conditions.append(at >= wanted.since)
    if wanted.until:
        conditions.append(at < wanted.until)
    return conditions
