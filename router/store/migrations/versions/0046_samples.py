"""Samples of calls to review."""

import sqlalchemy as sa
from alembic import op

from router.store.tables import Moment

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """There is none."""
    op.create_table(
        "sample",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("per_employee", sa.Integer, nullable=False),
        sa.Column("since", sa.Date, nullable=False),
        sa.Column("weeks", sa.Integer, nullable=False),
        sa.Column("seed", sa.String(64), nullable=False),
        sa.Column("author", sa.String(70), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sample"),
    )
    op.create_table(
        "sample_call",
        sa.Column("sample_id", sa.String(40), nullable=False),
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("employee", sa.Text, nullable=False),
        sa.Column("week", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("sample_id", "call_id", name="pk_sample_call"),
        sa.ForeignKeyConstraint(
            ["sample_id"], ["sample.id"], name=op.f("fk_sample_call_sample_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["call_id"], ["call.id"], name=op.f("fk_sample_call_call_id"), ondelete="CASCADE"
        ),
    )
    op.create_index("ix_sample_call_call_id", "sample_call", ["call_id"])


def downgrade() -> None:
    """Without them; calls stay reviewed."""
    op.drop_table("sample_call")
    op.drop_table("sample")
