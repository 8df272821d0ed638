"""The words of transcripts without their endings, indexed for the search over all calls."""

import sqlalchemy as sa
from alembic import op

from router.domain.calls.stems import search_stems

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

# The index repeats the text of the table, so that a removed text can be taken out of it.
_SQLITE = (
    "CREATE VIRTUAL TABLE transcript_index"
    " USING fts5(text, content='transcript_text', content_rowid='id')",
    "INSERT INTO transcript_index(transcript_index) VALUES ('rebuild')",
    """CREATE TRIGGER transcript_text_added AFTER INSERT ON transcript_text BEGIN
        INSERT INTO transcript_index(rowid, text) VALUES (new.id, new.text);
    END""",
    """CREATE TRIGGER transcript_text_changed AFTER UPDATE OF text ON transcript_text BEGIN
        INSERT INTO transcript_index(transcript_index, rowid, text)
            VALUES ('delete', old.id, old.text);
        INSERT INTO transcript_index(rowid, text) VALUES (new.id, new.text);
    END""",
    """CREATE TRIGGER transcript_text_removed AFTER DELETE ON transcript_text BEGIN
        INSERT INTO transcript_index(transcript_index, rowid, text)
            VALUES ('delete', old.id, old.text);
    END""",
)
_POSTGRESQL = (
    "CREATE INDEX ix_transcript_text_words ON transcript_text"
    " USING gin (to_tsvector('simple', text))"
)


def upgrade() -> None:
    """Write the words of the transcripts there are, then index them."""
    table = op.create_table(
        "transcript_text",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_transcript_text"),
        sa.ForeignKeyConstraint(
            ["call_id"],
            ["transcript.call_id"],
            name="fk_transcript_text_call_id",
            ondelete="CASCADE",
        ),
    )
    texts: dict[str, list[str]] = {}
    rows = op.get_bind().execute(sa.text("SELECT call_id, text FROM transcript_segment"))
    for call_id, text in rows:
        texts.setdefault(call_id, []).append(text)
    stems = [{"call_id": key, "text": search_stems(parts)} for key, parts in texts.items()]
    if stems:
        op.bulk_insert(table, stems)
    op.create_index("ix_transcript_text_call_id", "transcript_text", ["call_id"], unique=True)
    if op.get_context().dialect.name == "sqlite":
        for statement in _SQLITE:
            op.execute(statement)
    else:
        op.execute(_POSTGRESQL)


def downgrade() -> None:
    """Drop them."""
    if op.get_context().dialect.name == "sqlite":
        op.execute("DROP TABLE transcript_index")
    op.drop_table("transcript_text")
