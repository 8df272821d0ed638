"""Forms by their visit: who leaves the phones of many people is not their owner."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_form_visit_id", "form", ["visit_id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_form_visit_id", "form")
