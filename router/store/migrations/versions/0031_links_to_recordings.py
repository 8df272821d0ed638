"""How often the links to a recording that need no log-in were revoked."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; no link was ever made."""
    op.add_column(
        "recording",
        sa.Column("links_revoked", sa.Integer(), nullable=False, server_default=sa.text("0")),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_column("recording", "links_revoked")
