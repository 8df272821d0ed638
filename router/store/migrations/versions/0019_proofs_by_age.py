"""Indexes for what proves whose a call was: taps, forms and promo codes, the newest first."""

import sqlalchemy as sa
from alembic import op

from router.store.migrations.building import build_indexes

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Build them."""
    build_indexes("tap", {"ix_tap_newest": ["at", "number", "visit_id"]})
    build_indexes("form", {"ix_form_newest": ["at", "phone", "visit_id"]})
    coded = sa.text("code IS NOT NULL")
    op.create_index(
        "ix_call_code", "call", ["arrived_at", "code"], sqlite_where=coded, postgresql_where=coded
    )


def downgrade() -> None:
    """Without them."""
    op.drop_index("ix_call_code", "call")
    op.drop_index("ix_form_newest", "form")
    op.drop_index("ix_tap_newest", "tap")
