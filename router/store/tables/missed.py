"""The tables of missed callers, of calls back, and of listening in."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from router.store.tables.columns import E164, KEY, Json, key, metadata, moment

missed_caller = Table(
    "missed_caller",
    metadata,
    key(length=64),
    Column("site_id", KEY),
    Column("caller", E164),
    Column("caller_raw", Text, nullable=False),
    Column("caller_name", Text, nullable=False),
    Column("withheld", Boolean, nullable=False),
    Column("number", E164),
    moment("since"),
    moment("waits_from"),
    moment("last_at"),
    Column("last_call_id", String(64), nullable=False),
    Column("calls", Integer, nullable=False),
    Column("short", Boolean, nullable=False),
    Column("outside_hours", Boolean, nullable=False),
    Column("tries", Integer, nullable=False),
    moment("tried_at", nullable=True),
    moment("closed_at", nullable=True),
    Column("closed_as", String(20)),
    Column("closed_by", Text),
    Column("contact_call_id", String(64)),
    moment("latest_at"),
    Column("taken_by", Text),
    moment("taken_at", nullable=True),
    Column("note", Text, nullable=False),
    Column("reports", Json, nullable=False),
    Index(None, "caller", "last_at"),
    Index(None, "closed_at", "last_at"),
    Index(None, "since"),
)

call_back = Table(
    "call_back",
    metadata,
    key(),
    Column("call_id", String(64), ForeignKey("call.id", ondelete="CASCADE"), nullable=False),
    Column("task_id", String(64)),
    Column("site_id", KEY),
    Column("number", E164, nullable=False),
    Column("by", String(64), nullable=False),
    moment("at"),
    Column("state", String(10), nullable=False),
    Column("result", String(20)),
    Column("reason", String(10), nullable=False),
    Column("made_call_id", String(64)),
    Index(None, "at"),
    Index(None, "call_id"),
    Index(None, "state", "at"),
)

listening = Table(
    "listening",
    metadata,
    key(),
    Column("call_id", String(64), ForeignKey("call.id", ondelete="CASCADE"), nullable=False),
    Column("by", String(64), nullable=False),
    moment("at"),
    moment("ended_at", nullable=True),
    Index(None, "call_id"),
)
