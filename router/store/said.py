"""Conditions of a search on the transcripts of calls."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, column, exists, func, or_, select, table

from router.store import tables

_text = tables.transcript_text
_fts5 = table("transcript_index", column("rowid"), column("transcript_index"))  # SQLite's
ANY = select(exists(select(_text.c.id)))  # whether there are transcripts


def holds(call_id: ColumnElement[Any], said: Sequence[str], *, sqlite: bool) -> Any:
    """Whether all these stems are in the transcript of a call; tested on the rows of a walk."""
    place = func.strpos
    if sqlite:
        place = func.instr

    found = [place(_text.c.text, f" {stem} ") > 0 for stem in said]
    return exists(select(_text.c.id).where(_text.c.call_id == call_id, *found))


def calls_that_hold(said: Sequence[str], *, sqlite: bool) -> Select[Any]:
    """The ids of the calls in whose transcripts all these stems are, by the index."""
    if sqlite:
        rows = select(_fts5.c.rowid).where(_fts5.c.transcript_index.op("MATCH")(_all_of(said)))
        return select(_text.c.call_id).where(_text.c.id.in_(rows))
    words = func.to_tsvector("simple", _text.c.text)
    found = [words.op("@@")(func.plainto_tsquery("simple", stem)) for stem in said]
    return select(_text.c.call_id).where(and_(*found))


def texts_of_any(phrases: Sequence[Sequence[str]], *, sqlite: bool) -> Any:
    """The transcripts that hold all stems of at least one of these phrases, by the index."""
    if sqlite:
        wanted = " OR ".join(f"({_all_of(phrase)})" for phrase in phrases)
        rows = select(_fts5.c.rowid).where(_fts5.c.transcript_index.op("MATCH")(wanted))
        return _text.c.id.in_(rows)
    words = func.to_tsvector("simple", _text.c.text)
    return or_(
        *(words.op("@@")(func.plainto_tsquery("simple", " ".join(phrase))) for phrase in phrases)
    )


def _all_of(stems: Sequence[str]) -> str:
    """Stems as FTS5 looks for them."""
    return " AND ".join(f'"{stem}"' for stem in stems)
