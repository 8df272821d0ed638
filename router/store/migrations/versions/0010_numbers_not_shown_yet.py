"""Leases whose number no page has shown yet, who holds a number, and the browsers that keep
nothing.
"""

import sqlalchemy as sa
from alembic import op

from router.store.tables.columns import Moment

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """The leases of before were shown; of their holders nothing is known."""
    op.add_column(
        "lease", sa.Column("shown", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.create_table(
        "holding",
        sa.Column("e164", sa.String(20), nullable=False),
        sa.Column("household", sa.String(40), nullable=False),
        sa.Column("network", sa.String(50), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("e164", name="pk_holding"),
    )
    op.add_column("visit", sa.Column("client", sa.String(40)))
    op.create_index("ix_visit_client", "visit", ["client"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_visit_client", "visit")
    op.drop_column("visit", "client")
    op.drop_table("holding")
    op.drop_column("lease", "shown")
