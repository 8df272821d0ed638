"""Missed callers as tasks; those of the last 30 days are made from the calls there are."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

from router.store.tables.columns import Json, Moment

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

_DAYS = timedelta(days=30)
_SHORT = 15.0
_HUNG_UP = ("abandoned_early", "abandoned_ringing", "abandoned")
_MISSED = (*_HUNG_UP, "no_answer", "busy", "refused", "unreachable", "lost_in_transfer", "cut")
_AT_ONCE = 500
_INDEXES = {
    "ix_missed_caller_caller_last_at": ["caller", "last_at"],
    "ix_missed_caller_closed_at_last_at": ["closed_at", "last_at"],
    "ix_missed_caller_since": ["since"],
}
_call = sa.table(
    "call",
    *(sa.column(name, sa.String) for name in ("id", "site_id", "caller", "caller_raw")),
    *(sa.column(name, sa.String) for name in ("caller_name", "number", "state", "ending")),
    sa.column("withheld", sa.Boolean),
    sa.column("wait_seconds", sa.Float),
    sa.column("arrived_at", Moment),
    sa.column("answered_at", Moment),
)


def upgrade() -> None:
    """Make the table, and the tasks of those whose last missed call is not older than 30 days."""
    table = op.create_table(
        "missed_caller",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("site_id", sa.String(40)),
        sa.Column("caller", sa.String(20)),
        sa.Column("caller_raw", sa.Text, nullable=False),
        sa.Column("caller_name", sa.Text, nullable=False),
        sa.Column("withheld", sa.Boolean, nullable=False),
        sa.Column("number", sa.String(20)),
        *(sa.Column(name, Moment, nullable=False) for name in ("since", "waits_from", "last_at")),
        sa.Column("last_call_id", sa.String(64), nullable=False),
        sa.Column("calls", sa.Integer, nullable=False),
        sa.Column("short", sa.Boolean, nullable=False),
        sa.Column("outside_hours", sa.Boolean, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        *(sa.Column(name, Moment) for name in ("tried_at", "closed_at")),
        sa.Column("closed_as", sa.String(20)),
        sa.Column("closed_by", sa.Text),
        sa.Column("contact_call_id", sa.String(64)),
        sa.Column("latest_at", Moment, nullable=False),
        sa.Column("taken_by", sa.Text),
        sa.Column("taken_at", Moment),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("reports", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_missed_caller"),
    )
    counters = sa.table("counter", sa.column("name", sa.String), sa.column("value", sa.BigInteger))
    op.bulk_insert(counters, [{"name": "missed", "value": 0}])
    rows = list(_tasks())
    for start in range(0, len(rows), _AT_ONCE):
        op.bulk_insert(table, rows[start : start + _AT_ONCE])
    for name, columns in _INDEXES.items():
        op.create_index(name, "missed_caller", columns)


def downgrade() -> None:
    """Without them."""
    op.drop_table("missed_caller")
    op.execute("DELETE FROM counter WHERE name = 'missed'")


def _tasks() -> Iterator[dict[str, Any]]:
    """The tasks of all callers who were missed since 30 days before the newest call."""
    connection = op.get_bind()
    newest = connection.execute(sa.select(sa.func.max(_call.c.arrived_at))).scalar()
    if newest is None:
        return
    recent = _call.c.arrived_at >= newest - _DAYS
    missed = sa.select(_call.c.caller).where(recent, _call.c.ending.in_(_MISSED))
    wanted = sa.or_(_call.c.caller.in_(missed), _call.c.caller.is_(None))
    query = sa.select(_call).where(recent, wanted, _call.c.state == "ended")
    order = (_call.c.caller, _call.c.site_id, _call.c.arrived_at, _call.c.id)
    calls = connection.execute(query.order_by(*order))
    for (caller, _), same in groupby(calls, key=lambda call: (call.caller, call.site_id)):
        if caller is not None:
            yield from _of_caller(same)
            continue
        for call in same:  # each is a caller of their own
            yield from _of_caller([call])


def _of_caller(calls: Iterable[Any]) -> Iterator[dict[str, Any]]:
    events = sorted(filter(None, map(_event, calls)), key=lambda event: event[:2])
    task: dict[str, Any] | None = None
    for at, contact, call in events:
        if contact:
            if task:
                yield (
                    task
                    | {"closed_at": at, "closed_as": "rang_again", "latest_at": at}
                    | {"contact_call_id": call.id}
                )
            task = None
        else:
            task = _with(task or _begun(call), call)
    if task:
        yield task


def _event(call: Any) -> tuple[datetime, bool, Any] | None:
    """When it happened, and whether it was a contact."""
    if call.answered_at and call.ending != "lost_in_transfer":
        return call.answered_at, True, call
    return (call.arrived_at, False, call) if call.ending in _MISSED else None


def _begun(call: Any) -> dict[str, Any]:
    nothing = ("tried_at", "closed_at", "closed_as", "closed_by", "contact_call_id")
    return {
        **{name: getattr(call, name) for name in ("id", "site_id", "caller", "caller_raw")},
        "caller_name": "",
        "since": call.arrived_at,
        "waits_from": call.arrived_at,
        "calls": 0,
        "short": True,
        "outside_hours": False,
        "tries": 0,
        **dict.fromkeys((*nothing, "taken_by", "taken_at")),
        "note": "",
        "reports": [],
    }


def _with(task: dict[str, Any], call: Any) -> dict[str, Any]:
    """The task with one more missed call."""
    short = call.ending in _HUNG_UP and call.wait_seconds < _SHORT
    return task | {
        "caller_name": call.caller_name or task["caller_name"],
        "withheld": call.withheld,
        "number": call.number,
        "last_at": call.arrived_at,
        "last_call_id": call.id,
        "latest_at": call.arrived_at,
        "calls": task["calls"] + 1,
        "short": task["short"] and short,
    }
