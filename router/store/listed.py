"""What lists of calls show and offer beside the calls themselves."""

from collections.abc import Collection
from dataclasses import fields
from datetime import datetime

from sqlalchemy import bindparam, func, select

from router.service.calls.ports import Facets
from router.store import tables
from router.store.direct import AnyConnection

_facet, _tag = tables.call_facet, tables.tag
_NAMES = tuple(field.name for field in fields(Facets))
_FACETS = select(_facet.c.call_id, *(_facet.c[name] for name in _NAMES)).where(
    _facet.c.call_id.in_(bindparam("calls", expanding=True))
)


async def facets_of(connection: AnyConnection, call_ids: Collection[str]) -> dict[str, Facets]:
    """The facets of these calls."""
    rows = await connection.execute(_FACETS, {"calls": list(call_ids)})
    return {call_id: Facets(**dict(zip(_NAMES, values, strict=True))) for call_id, *values in rows}


async def values_of(connection: AnyConnection, name: str, since: datetime, most: int) -> list[str]:
    """The values of one filter in calls since then, the most frequent first."""
    if name == "tag":
        value, at = _tag.c.name, _tag.c.arrived_at
    elif name == "employee":
        value, at = _facet.c.last_answered_by, _facet.c.arrived_at
    else:
        value, at = _facet.c[name], _facet.c.arrived_at

    query = (
        select(value)
        .where(at >= since, value != "")
        .group_by(value)
        .order_by(func.count().desc(), value)
        .limit(most)
    )
    return list((await connection.execute(query)).scalars())
