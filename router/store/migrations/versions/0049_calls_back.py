"""Calls back, the calls that they made, and who may make them."""

import sqlalchemy as sa
from alembic import op

from router.store.tables.columns import Json, Moment

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """All calls so far came in, and no person may call back."""
    op.create_table(
        "call_back",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("task_id", sa.String(64)),
        sa.Column("site_id", sa.String(40)),
        sa.Column("number", sa.String(20), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("result", sa.String(20)),
        sa.Column("reason", sa.String(10), nullable=False),
        sa.Column("made_call_id", sa.String(64)),
        sa.PrimaryKeyConstraint("id", name="pk_call_back"),
    )
    op.create_index("ix_call_back_at", "call_back", ["at"])
    op.create_index("ix_call_back_state_at", "call_back", ["state", "at"])
    incoming = sa.text("'incoming'")
    direction = sa.Column("direction", sa.String(10), nullable=False, server_default=incoming)
    op.add_column("call", direction)
    op.add_column("call", sa.Column("call_back_id", sa.String(40)))
    op.add_column("call", sa.Column("answers_call_id", sa.String(64)))
    op.add_column("call", sa.Column("started_by", sa.String(64)))
    facet = sa.Column("direction", sa.Text, nullable=False, server_default=incoming)
    op.add_column("call_facet", facet)
    phone = sa.Column("phone", sa.Text, nullable=False, server_default=sa.text("''"))
    op.add_column("person", phone)
    scopes = sa.Column("scopes", Json, nullable=False, server_default=sa.text("'[]'"))
    op.add_column("person", scopes)


def downgrade() -> None:
    """Without them; the calls that were made stay in the list."""
    for name in ("phone", "scopes"):
        op.drop_column("person", name)
    op.drop_column("call_facet", "direction")
    for name in ("direction", "call_back_id", "answers_call_id", "started_by"):
        op.drop_column("call", name)
    op.drop_table("call_back")
