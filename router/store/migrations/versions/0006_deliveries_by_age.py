"""Indexes for looking at deliveries, the newest first: all of them, those in a state, those of a receiver."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_delivery_created_at": ["created_at"],
    "ix_delivery_state_created_at": ["state", "created_at"],
    "ix_delivery_receiver_id_created_at": ["receiver_id", "created_at"],
}


def upgrade() -> None:
    """Build them."""
    for name, columns in _INDEXES.items():
        op.create_index(name, "delivery", columns)


def downgrade() -> None:
    """Without them."""
    for name in _INDEXES:
        op.drop_index(name, "delivery")
