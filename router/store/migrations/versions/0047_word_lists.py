"""Word lists, whose words become marks and tags when they are said."""

import sqlalchemy as sa
from alembic import op

from router.store.tables.columns import Json, Moment

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """None at first."""
    op.create_table(
        "word_list",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("tag", sa.String(40), nullable=False),
        sa.Column("phrases", Json, nullable=False),
        sa.Column("site_id", sa.String(40)),
        sa.Column("side", sa.String(10)),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_word_list"),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name="fk_word_list_site_id", ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("word_list")
