"""Indexes for the lists of calls: of a site, by outcome, verdict and state, the newest first."""

from alembic import op

from router.store.migrations.building import build_indexes

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_call_site": ["site_id", "arrived_at", "id", "verdict", "ending"],
    "ix_call_ending": ["ending", "arrived_at", "id", "site_id", "verdict"],
    "ix_call_verdict": ["verdict", "arrived_at", "id", "site_id", "ending"],
    "ix_call_state_arrived_at_id": ["state", "arrived_at", "id"],
}


def upgrade() -> None:
    """Build them."""
    build_indexes("call", _INDEXES)
    op.drop_index("ix_call_state", "call")


def downgrade() -> None:
    """Without them."""
    op.create_index("ix_call_state", "call", ["state"])
    for name in _INDEXES:
        op.drop_index(name, "call")
