"""What visitors wrote and no call needs, removed by age: a batch of rows at a time, in the order of
their keys.

Keys begin with the time (`new_id`), so the oldest rows of a table are the first of its primary key.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, Table, bindparam, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from router.store import tables
from router.store.direct import DirectConnection

_visit, _form, _call, _mail = tables.visit, tables.form, tables.call, tables.mail
OF_VISITS = {
    "page_view": tables.page_view,
    "tap": tables.tap,
    "form": tables.form,
    "showing": tables.showing,
}


def _needed(visitor_id: Any) -> Any:
    """Whether a call or a message names this visitor."""
    return or_(
        exists(select(_call.c.id).where(_call.c.visitor_id == visitor_id)),
        exists(select(_mail.c.id).where(_mail.c.visitor_id == visitor_id)),
    )


def _batch(table: Table) -> Select[Any]:
    needed = _needed(_visit.c.visitor_id)
    if table is _form:
        needed = or_(needed, exists(select(_call.c.id).where(_call.c.caller == _form.c.phone)))
    rows = select(table.c.id, needed.label("needed"))
    rows = rows if table is _visit else rows.outerjoin(_visit, _visit.c.id == table.c.visit_id)
    old = (table.c.id > bindparam("after"), table.c.id < bindparam("before"))
    return rows.where(*old).order_by(table.c.id).limit(bindparam("most"))


_BATCHES = {name: _batch(table) for name, table in (OF_VISITS | {"visit": _visit}).items()}
_DELETES = {
    name: delete(table).where(table.c.id == bindparam("key")) for name, table in OF_VISITS.items()
}
_EMPTYING = (
    update(_visit)
    .where(_visit.c.id == bindparam("key"))
    .values(landing=None, referrer=None, parameters={})
)


class Retention:
    """The part of a session that removes what is old."""

    connection: AsyncConnection | DirectConnection

    async def remove_old(
        self, name: str, after: str, before: str, most: int
    ) -> tuple[str | None, int]:
        """Look at the next rows of a table between these keys, and remove those that no call needs.

        Of a visit its texts are removed, its source and time stay. Answers the last key that was
        looked at, None at the end, and how many rows went.
        """
        rows = (
            await self.connection.execute(
                _BATCHES[name], {"after": after, "before": before, "most": most}
            )
        ).all()
        gone = [row.id for row in rows if not row.needed]
        await self._remove(name, gone)
        return (rows[-1].id if len(rows) == most else None), len(gone)

    async def _remove(self, name: str, keys: Collection[str]) -> None:
        if keys:
            statement = _DELETES.get(name, _EMPTYING)
            await self.connection.execute(statement, [{"key": key} for key in keys])
