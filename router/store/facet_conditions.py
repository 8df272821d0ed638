"""Conditions of a filter on the facets and tags of calls."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, exists, literal, not_, or_, select

from router.domain.calls.call_filter import CHOICES, FLAGS, RANGES, Among, CallFilter, Range
from router.store import tables
from router.store.moments import in_hours

_entity, _tag = tables.entity, tables.tag
_CHOSEN = (
    "caller",
    "visitor_id",
    "scored",
    "term",
    "campaign",
    "number",
    "state",
    "source",
    "site_id",
    "verdict",
    "ending",
    "channel",
    "destination_id",
)
_NAMED = {
    "site_id": "ix_call_facet_site",
    "destination_id": "ix_call_facet_destination",
}
# Indexes that find the calls of one value in the order of arrival, by filter and column; employees
# are in two columns.
INDEXED: Mapping[str, Mapping[str, str]] = {
    **{name: {name: _NAMED.get(name, f"ix_call_facet_{name}")} for name in _CHOSEN},
    "employee": {
        "answered_by": "ix_call_facet_answered_by",
        "last_answered_by": "ix_call_facet_last_answered_by",
    },
}
INDEXED_FLAGS = {  # of calls that have it
    name: f"ix_call_facet_{name}"
    for name in ("reviewed", "commented", "target", "spam", "to_review")
}
FIGURES = {name: f"ix_call_facet_by_{name}" for name in RANGES}  # in the order of the figure
_COLUMNS = {"employee": ("answered_by", "last_answered_by")}  # of filters with several
_ELSEWHERE = {"tag"}  # no column of a facet


def facet_conditions(
    facet: FromClause, wanted: CallFilter, *, without: str | None = None
) -> list[ColumnElement[bool]]:
    """What the facets of a matching call fulfil; `without` one filter."""
    conditions = []
    for name in CHOICES:
        if name not in _ELSEWHERE | {without} and (choice := wanted.among(name)):
            conditions.append(_is_among(facet, name, choice))

    for name in RANGES:
        limits: Range | None = getattr(wanted, name)
        if limits and name != without:
            conditions += within(facet, name, limits)
    for name in FLAGS:
        flag: bool | None = getattr(wanted, name)
        if flag is not None and name != without:
            conditions.append(facet.c[name].is_(flag))
    if wanted.hours is not None:
        conditions.append(in_hours(facet.c.arrived_at, wanted.hours))
    if wanted.keys is not None:  # a whole group of them
        groups = literal(" ") + facet.c["keys"] + literal(" ")
        conditions.append(groups.like(f"% {wanted.keys} %"))
    if wanted.entity is not None and without != "entity":
        same = (_entity.c.call_id == facet.c.call_id, _entity.c.external_id == wanted.entity)
        conditions.append(exists(select(_entity.c.id).where(*same)))
    return conditions


def within(facet: FromClause, name: str, limits: Range) -> list[ColumnElement[bool]]:
    """The limits of a figure."""
    found = []
    if limits.least is not None:
        found.append(facet.c[name] >= limits.least)
    if limits.most is not None:
        found.append(facet.c[name] <= limits.most)
    return found


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
    if choice.excluded:
        return [not_(or_(*conditions))]
    return [or_(*conditions)]


def _is_among(facet: FromClause, name: str, choice: Among) -> ColumnElement[bool]:
    columns = [facet.c[column] for column in _COLUMNS.get(name, (name,))]
    if len(choice.values) == 1:
        found = [column == choice.values[0] for column in columns]
    else:
        found = [column.in_(choice.values) for column in columns]
    if choice.excluded:
        return and_(*(not_(condition) for condition in found))
    return or_(*found)
