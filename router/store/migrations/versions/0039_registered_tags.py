"""Tags that are offered with a colour and a key; a tag may be at a moment of the recording."""

import sqlalchemy as sa
from alembic import op

from router.store.tables import Moment

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """No tag is registered."""
    op.create_table(
        "registered_tag",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("colour", sa.String(10), nullable=False),
        sa.Column("digit", sa.Integer),
        sa.Column("replaced_by", sa.String(40)),
        sa.Column("replaced_at", Moment),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_registered_tag"),
    )
    op.add_column("tag", sa.Column("at_seconds", sa.Float))


def downgrade() -> None:
    """Without them; tags stay on their calls."""
    op.drop_column("tag", "at_seconds")
    op.drop_table("registered_tag")
