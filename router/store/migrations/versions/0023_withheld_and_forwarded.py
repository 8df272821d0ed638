"""Whether a caller withheld the number, and where a phone of the company wanted to forward the call."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both."""
    with op.batch_alter_table("call") as batch:
        batch.add_column(sa.Column("withheld", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("forwarded_to", sa.Text()))
    with op.batch_alter_table("call") as batch:
        batch.alter_column("withheld", server_default=None)


def downgrade() -> None:
    """Drop both."""
    with op.batch_alter_table("call") as batch:
        batch.drop_column("forwarded_to")
        batch.drop_column("withheld")
