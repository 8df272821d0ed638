"""Visits know their site, so that the arrivals of a site are counted without reading all visits
ever.
"""

import sqlalchemy as sa
from alembic import op

from router.store.migrations.building import build_indexes

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the site, and the index."""
    op.add_column("visit", sa.Column("site_id", sa.String(40), nullable=True))
    op.execute(
        "UPDATE visit SET site_id = (SELECT site_id FROM visitor WHERE visitor.id = "
        "visit.visitor_id)"
    )
    build_indexes(
        "visit", {"ix_visit_arrivals": ["site_id", "started_at", "country", "region", "city"]}
    )


def downgrade() -> None:
    """Without them."""
    op.drop_index("ix_visit_arrivals", "visit")
    op.drop_column("visit", "site_id")
