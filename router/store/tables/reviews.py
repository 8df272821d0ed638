"""Tables of what supervisors write about calls."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table

from router.store.tables.columns import metadata, moment

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
