"""Indexes for what is looked for at every holder of a number: their calls, and their taps on it."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Build them."""
    op.create_index("ix_call_visitor_id_arrived_at", "call", ["visitor_id", "arrived_at"])
    op.create_index("ix_tap_visit_id_number_at", "tap", ["visit_id", "number", "at"])
    op.drop_index("ix_tap_visit_id", "tap")


def downgrade() -> None:
    """As it was."""
    op.create_index("ix_tap_visit_id", "tap", ["visit_id"])
    op.drop_index("ix_tap_visit_id_number_at", "tap")
    op.drop_index("ix_call_visitor_id_arrived_at", "call")
