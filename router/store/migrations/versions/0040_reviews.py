"""Who reviewed a call."""

import sqlalchemy as sa
from alembic import op

from router.store.tables import Moment

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """No call is reviewed."""
    op.create_table(
        "review",
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("person", sa.String(64), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("call_id", name="pk_review"),
        sa.ForeignKeyConstraint(
            ["call_id"], ["call.id"], name=op.f("fk_review_call_id"), ondelete="CASCADE"
        ),
    )
    op.create_index("ix_review_person_at", "review", ["person", "at"])


def downgrade() -> None:
    """Every call is to be reviewed again."""
    op.drop_table("review")
    op.execute("UPDATE call_facet SET reviewed = false WHERE reviewed")
