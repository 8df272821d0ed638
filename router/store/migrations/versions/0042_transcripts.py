"""What was said in calls, and the rules by which calls are transcribed."""

import sqlalchemy as sa
from alembic import op

from router.store.tables.columns import Json, JsonOrNull, Moment

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """No rules at first: transcription is off."""
    op.create_table(
        "transcription_rule",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("engine", sa.String(10), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("calls", "address", "model")),
        sa.Column("least_talk_seconds", sa.Float, nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_transcription_rule"),
    )
    op.create_table(
        "transcript",
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("rule_id", sa.String(40), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("due_at", Moment, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("progress", sa.Float, nullable=False),
        sa.Column("outcome", JsonOrNull),
        sa.Column("engine", sa.Text),
        sa.Column("language", sa.String(2)),
        sa.Column("done_at", Moment),
        sa.PrimaryKeyConstraint("call_id", name="pk_transcript"),
        sa.ForeignKeyConstraint(
            ["call_id"],
            ["recording.call_id"],
            name="fk_transcript_call_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "ix_transcript_state_rule_id_due_at", "transcript", ["state", "rule_id", "due_at"]
    )
    op.create_table(
        "transcript_segment",
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("side", sa.String(10), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("until", sa.Float, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("words", Json, nullable=False),
        sa.Column("original", sa.Text),
        sa.Column("corrected_by", sa.String(64)),
        sa.Column("corrected_at", Moment),
        sa.PrimaryKeyConstraint("call_id", "place", name="pk_transcript_segment"),
        sa.ForeignKeyConstraint(
            ["call_id"],
            ["transcript.call_id"],
            name="fk_transcript_segment_call_id",
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("transcript_segment")
    op.drop_table("transcript")
    op.drop_table("transcription_rule")
