"""Where each call may have come from, with shares: totals by channel, and what a phone that calls again is known by."""

import sqlalchemy as sa
from alembic import op

from router.store import tables

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Calls judged before have none: `ringtrace attribution replay --keep` finds them."""
    with op.batch_alter_table("call") as batch:
        batch.add_column(sa.Column("origins", tables.Json, nullable=False, server_default=sa.text("'[]'")))
    with op.batch_alter_table("call") as batch:
        batch.alter_column("origins", server_default=None)


def downgrade() -> None:
    """Take the column away."""
    with op.batch_alter_table("call") as batch:
        batch.drop_column("origins")
