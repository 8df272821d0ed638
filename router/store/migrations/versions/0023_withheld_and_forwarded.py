"""Whether a caller withheld the number, and where a phone of the company wanted to forward the
call.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both, outside a batch and with the default kept: otherwise SQLite would copy the
    table.
    """
    op.add_column(
        "call", sa.Column("withheld", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("call", sa.Column("forwarded_to", sa.Text()))


def downgrade() -> None:
    """Drop both."""
    op.drop_column("call", "forwarded_to")
    op.drop_column("call", "withheld")
