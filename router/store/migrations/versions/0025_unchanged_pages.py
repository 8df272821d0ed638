"""Pages with a number of the company's that the script cannot replace."""

import sqlalchemy as sa
from alembic import op

from router.store.tables.columns import Moment

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Add their table."""
    op.create_table(
        "unchanged_page",
        sa.Column("id", sa.String(250), nullable=False),
        sa.Column("site_id", sa.String(40), nullable=False),
        sa.Column("path", sa.String(200), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_unchanged_page"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("unchanged_page")
