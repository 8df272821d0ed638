"""Indexes for target calls, spam, reviews that are asked for, and newly submitted scores."""

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

_FLAGS = ("target", "spam", "to_review")


def upgrade() -> None:
    """Build them."""
    for name in _FLAGS:
        op.create_index(
            f"ix_call_facet_{name}",
            "call_facet",
            ["arrived_at", "call_id", name],
            sqlite_where=sa.text(f"{name} IS 1"),
            postgresql_where=sa.text(f"{name} IS true"),
        )
    op.create_index(
        "ix_qualification_spam",
        "qualification",
        ["call_id"],
        sqlite_where=sa.text("spam = 1"),
        postgresql_where=sa.text("spam"),
    )
    op.create_index("ix_score_submitted_at", "score", ["submitted_at"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_score_submitted_at", "score")
    op.drop_index("ix_qualification_spam", "qualification")
    for name in _FLAGS:
        op.drop_index(f"ix_call_facet_{name}", "call_facet")
