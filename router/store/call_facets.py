"""Writes what lists find calls by: the facets that filters compare, and the search text."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Executable,
    Select,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
)

from router.domain.calls.call import RecordingState
from router.domain.calls.scoring import ScoredBy, ScoreState
from router.domain.calls.search import comments_text, search_text
from router.store import tables
from router.store.direct import AnyConnection
from router.store.writing import insert_into

_call, _facet, _search = tables.call, tables.call_facet, tables.call_search
_entity, _recording, _visit = tables.entity, tables.recording, tables.visit
_comment, _review, _score = tables.comment, tables.review, tables.score
_qualification = tables.qualification
_OF_VISIT = ("campaign", "term")
_OF_CALL = (
    "site_id",
    "number",
    "caller",
    "visitor_id",
    "state",
    "direction",
    "ending",
    "verdict",
    "destination_id",
    "answered_by",
    "last_answered_by",
)
_THESE: BindParameter[Any] = bindparam("call_ids", expanding=True)
_DELETED = delete(_facet).where(_facet.c.call_id.in_(_THESE))
_ENTITIES = (
    select(_entity.c.call_id, _entity.c.external_id)
    .where(_entity.c.call_id.in_(_THESE))
    .order_by(_entity.c.at)
)
_COMMENTS = (
    select(_comment.c.call_id, _comment.c.text)
    .where(_comment.c.call_id.in_(_THESE), _comment.c.private.is_(False))
    .order_by(_comment.c.id.desc())
)
_SEARCHED = (
    select(
        _call.c.id,
        _call.c.arrived_at,
        _call.c.caller,
        _call.c.caller_raw,
        _call.c.caller_name,
        _call.c.answered_by,
        _call.c.last_answered_by,
        func.coalesce(_visit.c.source, _call.c.source),
        _visit.c.campaign,
        _visit.c.term,
    )
    .select_from(_call)
    .outerjoin(_visit, _visit.c.id == _call.c.visit_id)
    .where(_call.c.id.in_(_THESE))
)


async def write_facets(connection: AnyConnection, call_ids: Sequence[str]) -> None:
    """Write the facets of these calls from what is known of them now."""
    these = {"call_ids": list(call_ids)}
    await connection.execute(_DELETED, these)
    await connection.execute(_inserted(), these)
    await _write_search_texts(connection, call_ids)


@cache
def _inserted() -> Executable:
    """Made once: SQLAlchemy takes twenty times as long to make it as a database to execute it."""
    query = facets_of_calls().where(_call.c.id.in_(_THESE))
    return insert(_facet).from_select(list(_columns()), query)


async def _write_search_texts(connection: AnyConnection, call_ids: Sequence[str]) -> None:
    these = {"call_ids": list(call_ids)}
    comments: dict[str, list[str]] = {}  # what everyone may read, the newest first
    for call_id, text in await connection.execute(_COMMENTS, these):
        comments.setdefault(call_id, []).append(text)

    entity_ids: dict[str, list[str]] = {}
    for call_id, entity_id in await connection.execute(_ENTITIES, these):
        entity_ids.setdefault(call_id, []).append(entity_id)

    rows = await connection.execute(_SEARCHED, these)
    texts = []
    for row in rows:
        texts.append(
            {
                "call_id": row.id,
                "arrived_at": row.arrived_at,
                "text": search_text(
                    *row[2:], entity_ids=entity_ids.get(row.id, ()), commented=row.id in comments
                ),
                "comments": comments_text(comments.get(row.id, ())),
            }
        )

    if texts:
        await connection.execute(_saving_texts(connection.dialect.name), texts)


@cache
def _saving_texts(dialect: str) -> Executable:
    """Update the search text only if it changed."""
    statement = insert_into(_search, dialect)
    names = ("text", "comments", "arrived_at")
    new = {name: statement.excluded[name] for name in names}
    differs = or_(*(_search.c[name] != new[name] for name in names[:2]))
    whole: Executable = statement.on_conflict_do_update(
        index_elements=["call_id"], set_=new, where=differs
    )
    return whole


def facets_of_calls() -> Select[Any]:
    """The rows of `call_facet`, one for each call."""
    return (
        select(*(value.label(name) for name, value in _columns().items()))
        .select_from(_call)
        .outerjoin(_visit, _visit.c.id == _call.c.visit_id)
        .outerjoin(_recording, _recording.c.call_id == _call.c.id)
        .outerjoin(_qualification, _qualification.c.call_id == _call.c.id)
    )


def _columns() -> dict[str, ColumnElement[Any]]:
    return {
        "arrived_at": _call.c.arrived_at,
        "call_id": _call.c.id,
        **{name: _known(_call.c[name]) for name in _OF_CALL},
        **{name: _known(_visit.c[name]) for name in _OF_VISIT},
        "source": func.coalesce(_visit.c.source, _call.c.source, ""),
        "channel": func.coalesce(_visit.c.channel, _call.c.channel, ""),
        "wait": _call.c.wait_seconds,
        "talk": _call.c.talk_seconds,
        "silence": _shared_silence(),
        "talk_over": _recording.c.talk_over_seconds,
        "probability": _call.c.probability,
        "score": func.coalesce(_mean_score(ScoredBy.PERSON), _mean_score(ScoredBy.RULE)),
        "scored": func.coalesce(_of_scores(func.min(_score.c.employee)), ""),
        "first": _is_first(),
        "reviewed": _is_reviewed(),
        "recorded": func.coalesce(_recording.c.state == RecordingState.STORED, False),
        "commented": exists(
            select(literal(1)).where(
                _comment.c.call_id == _call.c.id, _comment.c.private.is_(False)
            )
        ),
        "target": func.coalesce(_qualification.c.target, False),
        "spam": func.coalesce(_qualification.c.spam, False),
        "to_review": and_(func.coalesce(_qualification.c.to_review, False), ~_is_reviewed()),
        "keys": _call.c["keys"],
    }


def _is_reviewed() -> ColumnElement[bool]:
    return exists(select(literal(1)).where(_review.c.call_id == _call.c.id))


def _known(column: Column[Any]) -> ColumnElement[Any]:
    return func.coalesce(column, "")


def _mean_score(by: ScoredBy) -> ColumnElement[Any]:
    return _of_scores(func.avg(_score.c.score), _score.c.by == by)


def _of_scores(value: ColumnElement[Any], *also: ColumnElement[bool]) -> ColumnElement[Any]:
    """A value of the submitted scores of each call."""
    submitted = (_score.c.call_id == _call.c.id, _score.c.state == ScoreState.SUBMITTED)
    return select(value).where(*submitted, *also).scalar_subquery()


def _shared_silence() -> ColumnElement[Any]:
    """The longest silence of both sides together; in recordings of an older version, no shared
    silence is longer than this.
    """
    caller = _recording.c.caller_longest_silence_seconds
    company = _recording.c.company_longest_silence_seconds
    most = case((caller < company, caller), else_=company)
    return func.coalesce(_recording.c.shared_silence_seconds, most)


def _is_first() -> ColumnElement[Any]:
    """Whether this phone never called the site before; never true of a withheld number."""
    earlier = _call.alias("earlier")
    called_before = exists(
        select(literal(1))
        .select_from(earlier)
        .where(
            earlier.c.caller == _call.c.caller,
            # not by an index: SQLite would read all earlier calls of the site
            _known(earlier.c.site_id) == _known(_call.c.site_id),
            earlier.c.arrived_at < _call.c.arrived_at,
        )
    )
    return and_(_call.c.caller.is_not(None), ~called_before)
