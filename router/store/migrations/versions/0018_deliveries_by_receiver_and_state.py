"""An index for one receiver's deliveries in a state, the newest first."""

from alembic import op

from router.store.migrations.building import build_indexes

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_NAME = "ix_delivery_receiver_id_state_created_at_id"


def upgrade() -> None:
    """Build it."""
    build_indexes("delivery", {_NAME: ["receiver_id", "state", "created_at", "id"]})


def downgrade() -> None:
    """Without it."""
    op.drop_index(_NAME, "delivery")
