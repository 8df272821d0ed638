"""Removes old rows that no call needs, in limited batches.

Keys of what visitors do begin with the time (`new_id`), so the oldest rows of these tables are the
first of their primary keys. A row that others refer to stays until those are gone.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Delete,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    not_,
    or_,
    select,
    tuple_,
    update,
)

from router.domain.calls.call_back import CallBackState
from router.domain.delivery.delivery import DeliveryState
from router.store import tables
from router.store.direct import AnyConnection

_visit, _visitor, _lease = tables.visit, tables.visitor, tables.lease
_form, _call, _mail, _delivery = tables.form, tables.call, tables.mail, tables.delivery
OF_VISITS = {
    "page_view": tables.page_view,
    "tap": tables.tap,
    "form": tables.form,
    "fallback": tables.fallback,
    "lease": tables.lease,
}
_BY_KEY = OF_VISITS | {"visit": _visit, "visitor": _visitor}


def _exists(table: Table, *conditions: Any) -> Any:
    return exists(select(next(iter(table.primary_key.columns))).where(*conditions))


def _needed(visitor_id: Any) -> Any:
    """Whether a call or a message refers to this visitor."""
    called, wrote = _call.c.visitor_id == visitor_id, _mail.c.visitor_id == visitor_id
    return or_(_exists(_call, called), _exists(_mail, wrote))


def _needed_of(table: Table) -> Any:
    """Whether a call needs a row of this table."""
    if table is _visitor:
        return _needed(_visitor.c.id)
    needed = _needed(_visit.c.visitor_id)
    if table is _form:
        return or_(needed, _exists(_call, _call.c.caller == _form.c.phone))
    if table is _lease:
        rang = _call.c.arrived_at.between(_lease.c.started_at, _lease.c.ends_at)
        current = _lease.c.ends_at >= bindparam("ended_before", type_=_lease.c.ends_at.type)
        return or_(needed, current, _exists(_call, _call.c.number == _lease.c.number, rang))
    return needed


def _batch(table: Table) -> Select[Any]:
    rows = select(table.c.id, _needed_of(table).label("needed"))
    if table not in (_visit, _visitor):
        rows = rows.outerjoin(_visit, _visit.c.id == table.c.visit_id)
    old = (table.c.id > bindparam("after"), table.c.id < bindparam("before"))
    return rows.where(*old).order_by(table.c.id).limit(bindparam("most"))


def _deletion(table: Table) -> Delete:
    """Remove a row that nothing refers to, by now."""
    used = []
    if table is _visit:
        used = [_exists(child, child.c.visit_id == _visit.c.id) for child in OF_VISITS.values()]
    if table is _visitor:
        used = [_exists(child, child.c.visitor_id == _visitor.c.id) for child in (_visit, _lease)]
    return delete(table).where(table.c.id == bindparam("key"), *(not_(use) for use in used))


_BATCHES = {name: _batch(table) for name, table in _BY_KEY.items()}
_DELETES = {name: _deletion(table) for name, table in _BY_KEY.items()}
_WITH_TEXTS = or_(_visit.c.landing.is_not(None), _visit.c.referrer.is_not(None))
_EMPTYING = (
    update(_visit)
    .where(_visit.c.id == bindparam("key"), _WITH_TEXTS)
    .values(landing=None, referrer=None, parameters={})
)

# Rows that no other row refers to, and the moment by which each is old.
_FINAL = _delivery.c.state.in_((DeliveryState.DONE, DeliveryState.FAILED, DeliveryState.DISMISSED))
_OVER = tables.call_back.c.state == CallBackState.ENDED
_AGED: dict[str, tuple[Table, Any, Any]] = {
    "mail": (_mail, _mail.c.arrived_at, None),
    "delivery": (_delivery, _delivery.c.created_at, _FINAL),
    "login_session": (tables.login_session, tables.login_session.c.expires_at, None),
    "rejected_row": (tables.rejected_row, tables.rejected_row.c.at, None),
    "refused_origin": (tables.refused_origin, tables.refused_origin.c.last_at, None),
    "unchanged_page": (tables.unchanged_page, tables.unchanged_page.c.last_at, None),
    "on_hold": (tables.on_hold, tables.on_hold.c.started_at, None),
    "pressed_key": (tables.pressed_key, tables.pressed_key.c.at, None),
    "call_back": (tables.call_back, tables.call_back.c.at, _OVER),
    "listening": (tables.listening, tables.listening.c.at, None),
    "route_request": (tables.route_request, tables.route_request.c.at, None),
    "heartbeat": (tables.heartbeat, tables.heartbeat.c.at, None),
}


def _removal(table: Table, moment: Any, condition: Any) -> Delete:
    keys = list(table.primary_key.columns)
    old = moment < bindparam("moment", type_=moment.type)
    if condition is None:
        wanted = old
    else:
        wanted = and_(old, condition)

    rows = select(*keys).where(wanted).order_by(moment).limit(bindparam("most"))
    return delete(table).where(tuple_(*keys).in_(rows))


_REMOVALS = {name: _removal(*values) for name, values in _AGED.items()}


@dataclass(frozen=True, slots=True)
class SqlRetention:
    """The `Retention` of `router.service.admin.ports`."""

    connection: AnyConnection

    async def remove_old(
        self, name: str, after: str, before: str, most: int, ended_before: datetime
    ) -> tuple[str | None, int]:
        """Check the next rows of a table between these keys, and remove those that no call needs;
        of a visit that must stay, clear the texts. Returns the last key, None at the end, and
        the number of rows removed or cleared.
        """
        bounds = {"after": after, "before": before, "most": most}
        if name == "lease":
            bounds |= {"ended_before": ended_before}
        rows = (await self.connection.execute(_BATCHES[name], bounds)).all()
        gone = await self._remove(name, [row.id for row in rows if not row.needed])
        if len(rows) < most:
            return None, gone
        return rows[-1].id, gone

    async def _remove(self, name: str, keys: Collection[str]) -> int:
        gone = 0
        for key in keys:
            done = (await self.connection.execute(_DELETES[name], {"key": key})).rowcount
            if not done and name == "visit":
                done = (await self.connection.execute(_EMPTYING, {"key": key})).rowcount
            gone += done
        return gone

    async def remove_aged(self, name: str, before: datetime, most: int) -> int:
        """Remove the oldest rows of a table that nothing refers to; how many there were."""
        done = await self.connection.execute(_REMOVALS[name], {"moment": before, "most": most})
        return done.rowcount
