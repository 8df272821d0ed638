"""What the dialplan asked of the agent, and the processes' signs of life."""

import sqlalchemy as sa
from alembic import op

from router.store import tables

revision = "0022"
down_revision = "0021"

_KEY, _MOMENT = sa.String(40), tables.Moment()


def upgrade() -> None:
    """Two tables."""
    op.create_table(
        "route_request",
        sa.Column("linkedid", sa.String(64), nullable=False),
        sa.Column("journal", _KEY, nullable=False),
        sa.Column("spool_name", sa.String(80), nullable=False),
        sa.Column("did", sa.String(40), nullable=False),
        sa.Column("trunk", sa.String(64), nullable=False),
        sa.Column("caller_number", sa.Text(), nullable=False),
        sa.Column("caller_name", sa.Text(), nullable=False),
        sa.Column("destination_id", _KEY),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("linkedid", name=op.f("pk_route_request")),
    )
    op.create_table(
        "heartbeat",
        sa.Column("name", _KEY, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("facts", tables.Json, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeat")),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("heartbeat")
    op.drop_table("route_request")
