"""Conditions of a search on the transcripts of calls."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, column, exists, func, or_, select, table

from router.store import tables

_text = tables.transcript_text
_fts5 = table("transcript_index", column("rowid"), column("transcript_index"))  # SQLite's
NEWEST = 400  # transcripts
ANY = select(exists(select(_text.c.id)))  # whether there are transcripts


def holds(call_id: ColumnElement[Any], said: Sequence[str], *, sqlite: bool) -> Any:
    """Whether all these stems are in the transcript of a call; tested on the rows of a walk.

    A value of that one transcript, none without it. PostgreSQL answers an `EXISTS` instead by a
    list of all transcripts that hold the stems, and reads every text for it: 100 ms with 40,000.
    """
    place = func.strpos
    if sqlite:
        place = func.instr

    found = [place(_text.c.text, f" {stem} ") > 0 for stem in said]
    return select(and_(*found)).where(_text.c.call_id == call_id).scalar_subquery()


def are_common(said: Sequence[str], most: int) -> Select[Any]:
    """Whether there are many transcripts, and these stems are in a tenth of the newest: then about
    `most` calls hold them. PostgreSQL's index does not count them: for common words it is not read,
    and the words of each text are computed, 180 ms for 3,000.
    """
    newest = select(_text.c.text).order_by(_text.c.id.desc()).limit(NEWEST).subquery()
    found = [func.strpos(newest.c.text, f" {stem} ") > 0 for stem in said]
    held = select(func.count()).select_from(newest).where(*found).scalar_subquery()
    many = select(_text.c.id).order_by(_text.c.id).offset(10 * most).limit(1)
    return select(and_(held >= NEWEST / 10, exists(many)))


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
