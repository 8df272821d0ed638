"""How many deliveries in a row a receiver refused for good."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; none is counted of the past."""
    op.add_column(
        "account", sa.Column("refusals", sa.Integer(), nullable=False, server_default=sa.text("0"))
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_column("account", "refusals")
