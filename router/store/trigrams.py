"""Finds search texts by the indexes of their trigrams."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, column, func, or_, select, table

from router.store import tables

_search = tables.call_search
_trigrams = table("call_search_index", column("rowid"), column("call_search_index"))  # SQLite's


def by_fts5(terms: Sequence[Sequence[str]]) -> Select[Any]:
    """The keys of the texts that have each term, on SQLite."""
    matching = _trigrams.c.call_search_index.op("MATCH")(
        " AND ".join(_quoted(needles) for needles in terms)
    )
    return select(_trigrams.c.rowid).where(matching)


def by_gin(terms: Sequence[Sequence[str]]) -> ColumnElement[bool]:
    """Which texts have each term, on PostgreSQL."""
    return and_(*(or_(*(_has_trigrams(needle) for needle in needles)) for needles in terms))


def _has_trigrams(needle: str) -> ColumnElement[bool]:
    searched = (_search.c.text, _search.c.comments)
    trigrams = func.ringtrace_trigrams(needle)
    return or_(*(func.ringtrace_trigrams(text).op("@>")(trigrams) for text in searched))


def _quoted(needles: Sequence[str]) -> str:
    """One of these phrases, in the words of FTS5."""
    doubled = (needle.replace('"', '""') for needle in needles)
    return "(" + " OR ".join(f'"{needle}"' for needle in doubled) + ")"
