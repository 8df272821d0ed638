"""Chooses the index that a list of calls is read by: the one with the fewest entries for this
filter, counted up to a limit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    exists,
    func,
    literal,
    select,
)

from router.domain.calls.call_filter import RANGES, Among, CallFilter, Range
from router.domain.calls.call_order import NEWEST, CallOrder, OrderBy
from router.domain.calls.search import Search, read_search
from router.store import said, tables
from router.store.direct import AnyConnection
from router.store.facet_conditions import (
    FIGURES,
    INDEXED,
    INDEXED_FLAGS,
    facet_conditions,
    tag_conditions,
    within,
)
from router.store.texts import Texts
from router.store.walks import Condition, Walk, union_of

_facet, _search, _tag = tables.call_facet, tables.call_search, tables.tag
_entity = tables.entity
_AT, _ID = _facet.c.arrived_at, _facet.c.call_id
FEW = 3000  # calls that are fetched and sorted instead of walked
MANY = 6_000  # index entries up to which candidates are compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Indexes that find the calls of one filter together."""

    walks: Sequence[Walk]
    entries: Sequence[Select[Any]]  # to be counted
    ordered: bool = True  # in the order of arrival

    @property
    def is_spread(self) -> bool:
        """Whether facets are looked up by several indexes: of many calls, one walk is shorter."""
        return len(self.walks) > 1 and all(
            walk.costly and walk.source is _facet for walk in self.walks
        )


class Planner:
    """Plans one filter."""

    def __init__(
        self, connection: AnyConnection, wanted: CallFilter, order: CallOrder = NEWEST
    ) -> None:
        self._connection, self._wanted, self._order = connection, wanted, order
        self._by_time = order.by is OrderBy.TIME
        self._sqlite = connection.dialect.name == "sqlite"
        self._search = read_search(wanted.text or "")
        if self._search.caller and wanted.among("caller") is None:
            # a whole number that was typed is found by the caller's index
            self._wanted = replace(wanted, caller=self._search.caller)
            self._search = Search(terms=())

    async def plan(self) -> Sequence[Walk]:
        """The walks that find the calls together, each in the order of the list."""
        if self._search.said and not (await self._connection.execute(said.ANY)).scalar_one():
            self._search = replace(self._search, said=())
        texts = Texts(self._connection, self._search)
        few = None
        if self._search.terms:
            few = await texts.few(FEW)

        if few is not None:
            return [self._fetched([self._by_text(few)])]

        candidates = list(self._candidates())
        counts = [await self._counted(one.entries) for one in candidates]
        for count, candidate in sorted(
            zip(counts, candidates, strict=True), key=lambda one: one[0]
        ):
            if candidate.ordered and self._by_time and not (count >= MANY and candidate.is_spread):
                return candidate.walks
            if count <= FEW:
                return [self._fetched(candidate.walks)]
        return [self._whole()]

    def holds_text(self, call_id: ColumnElement[Any]) -> list[Condition]:
        """The conditions of the search text, for another table."""
        if not self._search.terms:
            return []
        held = Texts(self._connection, self._search).hold()
        return [exists(select(_search.c.id).where(_search.c.call_id == call_id, *held))]

    def conditions(self, without: str | None = None) -> list[Condition]:
        """Everything that is wanted, on facets; `without` the filter that an index answers."""
        return [
            *facet_conditions(_facet, self._wanted, without=without),
            *tag_conditions(_ID, self._wanted),
            *self.holds_text(_ID),
        ]

    async def _counted(self, entries: Sequence[Select[Any]]) -> int:
        count, most = 0, -(-MANY // len(entries))
        for query in entries:
            some = query.limit(most).subquery()
            rows = await self._connection.execute(select(func.count()).select_from(some))
            count += rows.scalar_one()
        return count

    def _candidates(self) -> Iterator[Candidate]:
        for name, indexes in INDEXED.items():
            choice = self._wanted.among(name)
            if choice and not choice.excluded:
                yield self._by_facet(
                    name, [(index, _facet.c[column] == value) for column, index in indexes.items()
                           for value in choice.values]
                )  # fmt: skip
        for name, index in INDEXED_FLAGS.items():
            if getattr(self._wanted, name):
                yield self._by_facet(name, [(index, _facet.c[name].is_(True))])
        tag = self._wanted.among("tag")
        if tag and not tag.excluded and all(tag.values):
            yield self._by_tag(tag)
        if self._wanted.entity is not None:
            yield self._by_entity(self._wanted.entity)
        if not self._by_time:
            yield self._by_facet("time", [(None, literal(True))], ordered=False)
        yield from self._by_ranges()

    def _by_facet(
        self, name: str, entries: Sequence[tuple[str | None, Condition]], *, ordered: bool = True
    ) -> Candidate:
        walks = [self._facets(name, index, [entry]) for index, entry in entries]
        return self._candidate(walks, ordered=ordered)

    def _candidate(self, walks: Sequence[Walk], *, ordered: bool = True) -> Candidate:
        entries = [
            select(walk.keys[-1]).select_from(walk.source).where(*walk.entries) for walk in walks
        ]
        return Candidate(walks=walks, entries=entries, ordered=ordered)

    def _by_ranges(self) -> Iterator[Candidate]:
        for name in RANGES:
            limits: Range | None = getattr(self._wanted, name)
            if limits:
                entries = _with_figure(name, limits)
                yield self._candidate([self._facets(name, FIGURES[name], entries)], ordered=False)

    def _by_entity(self, entity: str) -> Candidate:
        its_calls = select(_entity.c.call_id).where(_entity.c.external_id == entity)
        walk = self._facets("entity", "ix_call_facet_call_id", [_ID.in_(its_calls)])
        return Candidate(walks=[walk], entries=[its_calls], ordered=False)

    def _facets(self, name: str | None, index: str | None, entries: Sequence[Condition]) -> Walk:
        """The facets, by one index."""
        conditions = self.conditions(name)
        return Walk(
            source=_facet,
            keys=self._keys(_facet),
            entries=[*entries, *self._times(_AT)],
            conditions=conditions,
            index=index,
            costly=bool(conditions),
            own=self._is_of_facets(),
            order=self._order,
        )

    def _is_of_facets(self) -> bool:
        """Whether facets alone tell what matches."""
        wanted = self._wanted
        return not self._search.terms and wanted.tag is None and wanted.entity is None

    def _whole(self) -> Walk:
        """The facets or search texts by arrival, or the facets by a figure."""
        if self._search.terms and self._by_time:
            return self._by_text(None)
        conditions = self.conditions()
        costly = bool(self._search.terms) or self._wanted.tag is not None
        walk = Walk(
            source=_facet,
            keys=self._keys(_facet),
            entries=self._times(_AT),
            conditions=conditions,
            costly=costly or self._wanted.entity is not None,
            own=self._is_of_facets(),
            order=self._order,
        )
        if self._by_time:
            return walk
        name = self._order.by.value
        entries = _with_figure(name, getattr(self._wanted, name) or Range())
        return replace(
            walk,
            entries=entries,
            conditions=[*conditions, *self._times(_AT)],
            index=FIGURES[name],
            costly=True,
        )

    def _by_tag(self, choice: Among) -> Candidate:
        names = dict.fromkeys(value.casefold() for value in choice.values)
        walks = [self._of(_tag, [_tag.c.name == name], self.holds_text) for name in names]
        return self._candidate(walks)

    def _by_text(self, few: FromClause | None) -> Walk:
        if few is not None:
            return self._of(few, [], None)
        held = Texts(self._connection, self._search).hold()
        walk = self._of(_search, [], None)
        return replace(walk, conditions=[*held, *walk.conditions], index="ix_call_search_newest")

    def _of(self, source: Any, entries: Sequence[Condition], text: Any) -> Walk:
        """Another table by arrival, with the conditions that it does not contain."""
        at, call_id = source.c.arrived_at, source.c.call_id
        conditions = tag_conditions(call_id, self._wanted)
        if text:
            conditions = [*text(call_id), *conditions]

        facets = facet_conditions(_facet, self._wanted)
        same = (at == _AT, call_id == _ID)
        whole: FromClause = source
        keys: tuple[ColumnElement[Any], ...] = (at, call_id)
        if not self._by_time:  # fetched, never walked
            whole, keys = source.join(_facet, and_(*same)), self._keys(_facet)
            conditions += [*facets, _facet.c[self._order.by].is_not(None)]
        elif facets:
            conditions.append(exists(select(literal(1)).select_from(_facet).where(*same, *facets)))
        return Walk(
            source=whole,
            keys=keys,
            entries=[*entries, *self._times(at)],
            conditions=conditions,
            costly=True,
            order=self._order,
        )

    def _fetched(self, walks: Sequence[Walk]) -> Walk:
        """Few calls, to be sorted."""
        parts = []
        for walk in walks:
            query = select(*walk.keys).select_from(walk.source)
            if walk.index:
                query = query.with_hint(walk.source, f"INDEXED BY {walk.index}", "sqlite")
            parts.append(query.where(*walk.entries, *walk.conditions))
        if not self._by_time:
            parts = [part.where(_facet.c[self._order.by].is_not(None)) for part in parts]
        cte = union_of(parts).cte("few").prefix_with("MATERIALIZED")
        return Walk(source=cte, keys=tuple(cte.c), entries=(), order=self._order)

    def _keys(self, facet: FromClause) -> tuple[ColumnElement[Any], ...]:
        placed = (facet.c.arrived_at, facet.c.call_id)
        if self._by_time:
            return placed
        return (facet.c[self._order.by], *placed)

    def _times(self, at: ColumnElement[Any]) -> list[Condition]:
        return times(at, self._wanted)


def times(at: ColumnElement[Any], wanted: CallFilter) -> list[Condition]:
    """The period that is wanted."""
    conditions = []
    if wanted.since:
        conditions.append(at >= wanted.since)
    if wanted.until:
        conditions.append(at < wanted.until)
    return conditions


def _with_figure(name: str, limits: Range) -> list[Condition]:
    return [_facet.c[name].is_not(None), *within(_facet, name, limits)]
