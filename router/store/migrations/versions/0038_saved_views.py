"""Saved views of the list of calls."""

import sqlalchemy as sa
from alembic import op

from router.store.tables.columns import Json, Moment

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A table for them."""
    op.create_table(
        "saved_view",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("columns", Json, nullable=False),
        sa.Column("author", sa.String(64)),
        sa.Column("shared", sa.Boolean, nullable=False),
        sa.Column("is_default", sa.Boolean, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("changed_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_saved_view"),
    )
    op.create_index("ix_saved_view_author", "saved_view", ["author"])


def downgrade() -> None:
    """Without them."""
    op.drop_table("saved_view")
