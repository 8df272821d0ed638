"""Tables of what supervisors write about calls."""

from sqlalchemy import Boolean, Column, Date, Float, ForeignKey, Index, Integer, String, Table, Text

from router.store.tables.columns import KEY, Json, key, metadata, moment

# Tags that are offered, with colour and key, and tags that are being replaced on their calls.
registered_tag = Table(
    "registered_tag",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("colour", String(10), nullable=False),
    Column("digit", Integer),
    Column("replaced_by", String(40)),
    moment("replaced_at", nullable=True),
    moment("created_at"),
)

review = Table(
    "review",
    metadata,
    Column("call_id", String(64), ForeignKey("call.id", ondelete="CASCADE"), primary_key=True),
    Column("person", String(64), nullable=False),
    moment("at"),
    Index(None, "person", "at"),
)

comment = Table(
    "comment",
    metadata,
    key(),
    Column("call_id", String(64), ForeignKey("call.id", ondelete="CASCADE"), nullable=False),
    Column("author", String(70), nullable=False),
    Column("text", Text, nullable=False),
    moment("at"),
    Column("at_seconds", Float),
    Column("private", Boolean, nullable=False),
    Column("readers", Json, nullable=False),
    moment("edited_at", nullable=True),
    Index(None, "call_id"),
)

sample = Table(
    "sample",
    metadata,
    key(),
    Column("name", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("per_employee", Integer, nullable=False),
    Column("since", Date, nullable=False),
    Column("weeks", Integer, nullable=False),
    Column("seed", String(64), nullable=False),
    Column("author", String(70), nullable=False),
    moment("created_at"),
)

sample_call = Table(
    "sample_call",
    metadata,
    Column("sample_id", KEY, ForeignKey("sample.id", ondelete="CASCADE"), primary_key=True),
    Column("call_id", String(64), ForeignKey("call.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("employee", Text, nullable=False),
    Column("week", Date, nullable=False),
    Index(None, "call_id"),
)
