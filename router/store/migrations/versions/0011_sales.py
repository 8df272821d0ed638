"""Sales are kept with their call, whether a receiver is connected or not."""

import sqlalchemy as sa
from alembic import op

from router.store import tables

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "sale",
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("at", tables.Moment(), nullable=False),
        sa.Column("created_at", tables.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sale")),
        sa.ForeignKeyConstraint(
            ["call_id"], ["call.id"], name=op.f("fk_sale_call_id"), ondelete="CASCADE"
        ),
    )
    op.create_index(op.f("ix_sale_call_id"), "sale", ["call_id"])


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("sale")
