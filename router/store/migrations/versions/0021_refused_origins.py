"""Origins whose pages were refused numbers."""

import sqlalchemy as sa
from alembic import op

from router.store.tables.columns import Moment

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Add their table."""
    op.create_table(
        "refused_origin",
        sa.Column("id", sa.String(250), nullable=False),
        sa.Column("site_id", sa.String(40), nullable=False),
        sa.Column("origin", sa.String(200), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_refused_origin"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("refused_origin")
