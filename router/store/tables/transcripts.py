"""Tables of transcripts. They are removed with the recording."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from router.store.tables.columns import KEY, Json, JsonOrNull, key, metadata, moment

transcription_rule = Table(
    "transcription_rule",
    metadata,
    key(),
    Column("engine", String(10), nullable=False),
    *(Column(name, Text, nullable=False) for name in ("calls", "address", "model")),
    Column("least_talk_seconds", Float, nullable=False),
    Column("language", String(2), nullable=False),
    Column("active", Boolean, nullable=False),
    moment("created_at"),
)

transcript = Table(
    "transcript",
    metadata,
    Column(
        "call_id",
        String(64),
        ForeignKey("recording.call_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("rule_id", KEY, nullable=False),
    Column("state", String(10), nullable=False),
    moment("due_at"),
    moment("created_at"),
    Column("attempts", Integer, nullable=False),
    Column("progress", Float, nullable=False),
    Column("outcome", JsonOrNull),
    Column("engine", Text),
    Column("language", String(2)),
    moment("done_at", nullable=True),
    Index(None, "state", "rule_id", "due_at"),
)

transcript_segment = Table(
    "transcript_segment",
    metadata,
    Column(
        "call_id",
        String(64),
        ForeignKey("transcript.call_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("place", Integer, primary_key=True),
    Column("side", String(10), nullable=False),
    Column("at", Float, nullable=False),
    Column("until", Float, nullable=False),
    Column("text", Text, nullable=False),
    Column("words", Json, nullable=False),
    Column("original", Text),
    Column("corrected_by", String(64)),
    moment("corrected_at", nullable=True),
)

# The stems of a call's words (`router.domain.calls.stems`). Migrations alone index them: SQLite has
# the virtual table `transcript_index`, PostgreSQL an index of `to_tsvector('simple', text)`.
transcript_text = Table(
    "transcript_text",
    metadata,
    # SQLite's index names rows by it
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column(
        "call_id",
        String(64),
        ForeignKey("transcript.call_id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("text", Text, nullable=False),
    Index(None, "call_id", unique=True),
)

word_list = Table(
    "word_list",
    metadata,
    key(),
    Column("tag", String(40), nullable=False),
    Column("phrases", Json, nullable=False),
    Column("site_id", KEY, ForeignKey("site.id", ondelete="CASCADE")),
    Column("side", String(10)),
    moment("created_at"),
)
