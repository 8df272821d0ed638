"""Whether a caller withheld the number, and where a phone of the company wanted to forward the call."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both. The default stays: to drop it, SQLite would copy the table."""
    with op.batch_alter_table("call") as batch:
        batch.add_column(sa.Column("withheld", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("forwarded_to", sa.Text()))


def downgrade() -> None:
    """Drop both."""
    with op.batch_alter_table("call") as batch:
        batch.drop_column("forwarded_to")
        batch.drop_column("withheld")
