"""Finds calls by their search texts and transcripts."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import FromClause, Select, and_, func, or_, select

from router.domain.calls.search import COMMENTED, FIRST, Search
from router.store import said, tables
from router.store.direct import AnyConnection
from router.store.trigrams import by_fts5, by_gin
from router.store.walks import Condition, union_of
from router.store.writing import place_of

_call, _search = tables.call, tables.call_search
_other = tables.call_search.alias("other")  # the same call's
TRIGRAM = 3


class Texts:
    """The texts that hold what one search looks for."""

    def __init__(self, connection: AnyConnection, search: Search) -> None:
        self._connection, self._search = connection, search
        self._sqlite = connection.dialect.name == "sqlite"

    async def few(self, most: int) -> FromClause | None:
        """The matching search texts, if there are at most so many."""
        terms = [needles for needles in self._search.terms if _has_index(needles)]
        if not terms or (len(terms) == 1 and await self._many_begin(terms[0], most)):
            return None
        if self._sqlite:
            ids = by_fts5(terms)
            place: Condition = _search.c.id.in_(ids)
        else:
            place = by_gin(terms)
            ids = select(_search.c.id).where(place)

        if await self._exceeds(ids, most):
            return None
        places = [place]
        if self._search.said:
            if await self._is_commonly_said(most):
                return None
            heard = said.calls_that_hold(self._search.said, sqlite=self._sqlite)
            if await self._exceeds(heard, most):
                return None
            places.append(_search.c.call_id.in_(heard))
        every = select(_search.c.arrived_at, _search.c.call_id).where(*self.hold())
        return union_of([every.where(place) for place in places]).cte("found")

    def hold(self) -> list[Condition]:
        """What a matching search text fulfils."""
        named = self._hold(self._search.terms)
        if not self._search.said:
            return named
        heard = said.holds(_search.c.call_id, self._search.said, sqlite=self._sqlite)
        return [or_(and_(*named), and_(*self._hold(self._search.numbers), heard))]

    async def _many_begin(self, needles: Sequence[str], most: int) -> bool:
        """Whether the first digits match many calls, as a mobile operator's code does."""
        for needle in needles:
            if needle.startswith(FIRST) and needle[1:].isdigit():
                first = f"+{needle[1:]}"
                # ":" comes after "9"
                begins = (
                    _call.c.caller >= first,
                    _call.c.caller < f"{first}:",
                )
                if await self._exceeds(select(_call.c.caller).where(*begins), most):
                    return True
        return False

    async def _is_commonly_said(self, most: int) -> bool:
        """Whether the words are in so many transcripts that the newest tell it."""
        if self._sqlite:
            return False
        common = said.are_common(self._search.said, most)
        return bool((await self._connection.execute(common)).scalar_one())

    async def _exceeds(self, query: Select[Any], most: int) -> bool:
        some = query.limit(most + 1).subquery()
        count = await self._connection.execute(select(func.count()).select_from(some))
        return int(count.scalar_one()) > most

    def _hold(self, terms: Sequence[Sequence[str]]) -> list[Condition]:
        return [or_(*(self._holds(needle) for needle in needles)) for needles in terms]

    def _holds(self, needle: str) -> Condition:
        """Prevents index use on purpose: tested on the rows of a walk."""
        place = place_of(self._connection)
        # only calls with comments are looked up once more; as a value of that one row, because
        # PostgreSQL may answer an `EXISTS` by a list made of all calls, for 2 s
        commented = select(place(_other.c.comments, needle) > 0)
        same = commented.where(_other.c.call_id == _search.c.call_id).scalar_subquery()
        return or_(
            place(_search.c.text, needle) > 0, and_(place(_search.c.text, COMMENTED) > 0, same)
        )


def _has_index(needles: Sequence[str]) -> bool:
    """Whether the trigrams find a term: none of its words is too short."""
    return all(len(needle) >= TRIGRAM for needle in needles)
