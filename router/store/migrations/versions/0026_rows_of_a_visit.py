"""Indexes that find what refers to a visit, so that removing an old visit reads no whole table."""

from alembic import op

from router.store.migrations.building import build_indexes

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Build them."""
    build_indexes("lease", {"ix_lease_visit_id": ["visit_id"]})
    build_indexes("showing", {"ix_showing_visit_id": ["visit_id"]})


def downgrade() -> None:
    """Without them."""
    op.drop_index("ix_showing_visit_id", "showing")
    op.drop_index("ix_lease_visit_id", "lease")
