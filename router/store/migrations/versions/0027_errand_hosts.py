"""Hosts where the visitors of a site pay or log in."""

import sqlalchemy as sa
from alembic import op

from router.store.tables.columns import Json

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    none = sa.text("'[]'")
    op.add_column("site", sa.Column("errand_hosts", Json, nullable=False, server_default=none))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("site", "errand_hosts")
