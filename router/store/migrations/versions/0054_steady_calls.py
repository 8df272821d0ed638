"""When calls of missed callers arrived by the clock as it was set since."""

import sqlalchemy as sa
from alembic import op

from router.store.tables.columns import Moment

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The clock was set during no call."""
    op.add_column("call", sa.Column("steady_at", Moment))


def downgrade() -> None:
    """Without it."""
    op.drop_column("call", "steady_at")
