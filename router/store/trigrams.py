"""Finds search texts by the indexes of their trigrams."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

from sqlalchemy import ColumnElement, Select, column, func, or_, select, table

from router.store import tables

_search = tables.call_search
MOST_CHOICES = 9  # of needles
_trigrams = table("call_search_index", column("rowid"), column("call_search_index"))  # SQLite's


def by_fts5(terms: Sequence[Sequence[str]]) -> Select[Any]:
    """The keys of the texts that have each term, on SQLite."""
    matching = _trigrams.c.call_search_index.op("MATCH")(
        " AND ".join(_quoted(needles) for needles in terms)
    )
    return select(_trigrams.c.rowid).where(matching)


def by_gin(terms: Sequence[Sequence[str]]) -> ColumnElement[bool]:
    """Which texts may have each term, on PostgreSQL: some of many needles are not looked for.

    Everything is asked of the index, in one scan for each choice of needles. PostgreSQL expects
    few texts with three trigrams that always come together, and would rather compute the trigrams
    of each text that has the first term: 10 s for a first and a last name among a million calls.
    """
    words = func.ringtrace_trigrams(_search.c.text + _search.c.comments)
    choices = []
    for needles in _choices(terms):
        trigrams: list[ColumnElement[Any]] = [func.ringtrace_trigrams(each) for each in needles]
        # one condition: PostgreSQL would take a term that all choices have out of them again
        choices.append(words.op("@>")(reduce(_and, trigrams)))
    return or_(*choices)


def _and(some: ColumnElement[Any], others: ColumnElement[Any]) -> ColumnElement[Any]:
    return some.op("||")(others)


def _choices(terms: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """One needle of each term, in every way; without the last terms if there are too many ways."""
    choices: list[tuple[str, ...]] = [()]
    for needles in sorted(terms, key=len):
        if len(choices) * len(needles) > MOST_CHOICES:
            break
        choices = [(*before, needle) for before in choices for needle in needles]
    return choices


def _quoted(needles: Sequence[str]) -> str:
    """One of these phrases, in the words of FTS5."""
    doubled = (needle.replace('"', '""') for needle in needles)
    return "(" + " OR ".join(f'"{needle}"' for needle in doubled) + ")"
