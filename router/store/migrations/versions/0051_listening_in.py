"""Who listened in on which call."""

import sqlalchemy as sa
from alembic import op

from router.store.tables.columns import Moment

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """No person has listened in."""
    op.create_table(
        "listening",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("ended_at", Moment),
        sa.PrimaryKeyConstraint("id", name="pk_listening"),
    )
    op.create_index("ix_listening_call_id", "listening", ["call_id"])


def downgrade() -> None:
    """Without them."""
    op.drop_table("listening")
