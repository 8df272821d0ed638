"""Which files of the CEL log were read to their end, and an index that finds the calls that are
open.
"""

import sqlalchemy as sa
from alembic import op

from router.store import tables

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the column and the index."""
    with op.batch_alter_table("cursor") as batch:
        batch.add_column(
            sa.Column("finished", tables.Json, nullable=False, server_default=sa.text("'[]'"))
        )
    with op.batch_alter_table("cursor") as batch:
        batch.alter_column("finished", server_default=None)
    op.create_index("ix_call_state", "call", ["state"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_call_state", "call")
    op.drop_column("cursor", "finished")
