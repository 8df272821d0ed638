"""Silences and talk-over of a recording with their moments, and its longest shared silence."""

import sqlalchemy as sa
from alembic import op

from router.store.tables.columns import JsonOrNull

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them; recordings of before have none."""
    op.add_column("recording", sa.Column("shared_silence_seconds", sa.Float))
    op.add_column("recording", sa.Column("spans", JsonOrNull))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("recording", "spans")
    op.drop_column("recording", "shared_silence_seconds")
