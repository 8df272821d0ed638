"""Tables of score cards and scores."""

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from router.store.tables.columns import KEY, Json, key, metadata, moment

# One row a version.
score_card = Table(
    "score_card",
    metadata,
    key(),
    Column("card_id", KEY, nullable=False),
    Column("version", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("questions", Json, nullable=False),
    Column("state", String(10), nullable=False),
    Column("author", String(70), nullable=False),
    moment("created_at"),
    moment("edited_at"),
    moment("published_at", nullable=True),
    moment("archived_at", nullable=True),
    UniqueConstraint("card_id", "version"),
)

score = Table(
    "score",
    metadata,
    key(),
    Column("call_id", String(64), ForeignKey("call.id", ondelete="CASCADE"), nullable=False),
    Column("card_id", KEY, ForeignKey("score_card.id"), nullable=False),
    Column("scorer", String(70), nullable=False),
    Column("by", String(10), nullable=False),
    Column("employee", Text, nullable=False),
    Column("state", String(10), nullable=False),
    Column("score", Float),
    moment("started_at"),
    moment("submitted_at", nullable=True),
    UniqueConstraint("call_id", "scorer"),
    Index(None, "employee", "submitted_at"),
    Index(None, "submitted_at"),
    Index(None, "card_id"),
)

score_answer = Table(
    "score_answer",
    metadata,
    Column("score_id", KEY, ForeignKey("score.id", ondelete="CASCADE"), primary_key=True),
    Column("question_id", KEY, primary_key=True),
    Column("value", String(10), nullable=False),
    Column("comment", Text, nullable=False),
    Column("at_seconds", Float),
)

# At most one for each score.
dispute = Table(
    "dispute",
    metadata,
    Column("score_id", KEY, ForeignKey("score.id", ondelete="CASCADE"), primary_key=True),
    Column("author", String(64), nullable=False),
    Column("text", Text, nullable=False),
    moment("at"),
    Column("settlement", String(10)),
    Column("settled_by", String(64)),
    moment("settled_at", nullable=True),
    Column("answer", Text, nullable=False),
    Column("score_before", Float),
    Column("changes", Json, nullable=False),
    Index(None, "settled_at"),
)
