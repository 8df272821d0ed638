"""Tags know when their call arrived, so that calls with a tag are listed by one index, the newest
first.
"""

import sqlalchemy as sa
from alembic import op

from router.store.migrations.building import build_indexes
from router.store.tables import Moment

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the moment, and the index."""
    op.add_column("tag", sa.Column("arrived_at", Moment, nullable=True))
    op.execute(
        "UPDATE tag SET arrived_at = (SELECT arrived_at FROM call WHERE call.id = tag.call_id)"
    )
    op.drop_index("ix_tag_name_call_id", "tag")
    with op.batch_alter_table("tag") as batch:
        batch.alter_column("arrived_at", existing_type=Moment(), nullable=False)
    build_indexes("tag", {"ix_tag_name_arrived_at_call_id": ["name", "arrived_at", "call_id"]})


def downgrade() -> None:
    """Without them."""
    op.drop_index("ix_tag_name_arrived_at_call_id", "tag")
    with op.batch_alter_table("tag") as batch:
        batch.drop_column("arrived_at")
    op.create_index("ix_tag_name_call_id", "tag", ["name", "call_id"])
