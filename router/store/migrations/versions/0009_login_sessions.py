"""Sessions of people who logged in: logging out ends one on the server."""

import sqlalchemy as sa
from alembic import op

from router.store import tables

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the table. Everybody logs in once more."""
    op.create_table(
        "login_session",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("created_at", tables.Moment(), nullable=False),
        sa.Column("expires_at", tables.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_login_session")),
    )
    op.create_index(op.f("ix_login_session_login"), "login_session", ["login"])


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("login_session")
