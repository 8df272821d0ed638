"""Conditions of a filter on the facets and tags of calls."""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, exists, literal, not_, or_, select

from router.domain.calls.call_filter import CHOICES, FLAGS, RANGES, Among, CallFilter, Range
from router.store import tables

_entity, _tag = tables.entity, tables.tag
# The fewest calls first, as far as names tell; employees are in two columns.
INDEXED = {
    "caller": "ix_call_facet_caller",
    "visitor_id": "ix_call_facet_visitor_id",
    "scored": "ix_call_facet_scored",
    "term": "ix_call_facet_term",
    "campaign": "ix_call_facet_campaign",
    "number": "ix_call_facet_number",
    "state": "ix_call_facet_state",
    "source": "ix_call_facet_source",
    "site_id": "ix_call_facet_site",
    "verdict": "ix_call_facet_verdict",
    "ending": "ix_call_facet_ending",
}
_EMPLOYEE = ("answered_by", "last_answered_by")
_ELSEWHERE = {"tag"}  # no column of a facet


def facet_conditions(
    facet: FromClause, wanted: CallFilter, *, first: str | None = None
) -> list[ColumnElement[bool]]:
    """What the facets of a matching call fulfil; `first` names the filter whose condition comes
    first.
    """
    names = sorted((name for name in CHOICES if name not in _ELSEWHERE), key=lambda n: n != first)
    conditions = [
        _is_among(facet, name, choice) for name in names if (choice := wanted.among(name))
    ]
    for name in RANGES:
        limits: Range | None = getattr(wanted, name)
        if limits and limits.least is not None:
            conditions.append(facet.c[name] >= limits.least)
        if limits and limits.most is not None:
            conditions.append(facet.c[name] <= limits.most)
    for name in FLAGS:
        flag: bool | None = getattr(wanted, name)
        if flag is not None:
            conditions.append(facet.c[name].is_(flag))
    if wanted.keys is not None:  # a whole group of them
        groups = literal(" ") + facet.c["keys"] + literal(" ")
        conditions.append(groups.like(f"% {wanted.keys} %"))
    if wanted.entity is not None:
        same = (_entity.c.call_id == facet.c.call_id, _entity.c.external_id == wanted.entity)
        conditions.append(exists(select(_entity.c.id).where(*same)))
    return conditions


def tag_conditions(call_id: ColumnElement[Any], wanted: CallFilter) -> list[ColumnElement[bool]]:
    """What the tags of a matching call fulfil."""
    choice = wanted.among("tag")
    if choice is None:
        return []
    conditions: list[ColumnElement[bool]] = []
    names = [value.casefold() for value in choice.values if value]
    if names:
        named = (_tag.c.call_id == call_id, _tag.c.name.in_(names))
        conditions.append(exists(select(_tag.c.call_id).where(*named)))
    if len(names) < len(choice.values):  # the empty value: no tag at all
        conditions.append(~exists(select(_tag.c.call_id).where(_tag.c.call_id == call_id)))
    return [not_(or_(*conditions)) if choice.excluded else or_(*conditions)]


def _is_among(facet: FromClause, name: str, choice: Among) -> ColumnElement[bool]:
    columns = [facet.c[column] for column in (_EMPLOYEE if name == "employee" else (name,))]
    if len(choice.values) == 1:
        found = [column == choice.values[0] for column in columns]
    else:
        found = [column.in_(choice.values) for column in columns]
    if choice.excluded:
        return and_(*(not_(condition) for condition in found))
    return or_(*found)
