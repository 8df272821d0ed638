"""Late evidence: what came after a call, and the worker looks at."""

import sqlalchemy as sa
from alembic import op

from router.store.tables.columns import Moment

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the queue."""
    op.create_table(
        "late_evidence",
        sa.Column("id", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("subject", sa.String(40), nullable=False),
        sa.Column("site_id", sa.String(40)),
        sa.Column("at", Moment, nullable=False),
        sa.Column("due_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_late_evidence"),
    )
    op.create_index("ix_late_evidence_due_at", "late_evidence", ["due_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("late_evidence")
