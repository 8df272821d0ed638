"""Signs of spam, callers that they do not count for, and the block list."""

import sqlalchemy as sa
from alembic import op

from router.store.tables.columns import Json, Moment

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """No call has a sign: they are found on calls that end or change from now on."""
    op.create_table(
        "spam_sign",
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("sign", sa.String(20), nullable=False),
        sa.Column("facts", Json, nullable=False),
        sa.PrimaryKeyConstraint("call_id", "sign", name="pk_spam_sign"),
        sa.ForeignKeyConstraint(
            ["call_id"], ["call.id"], name=op.f("fk_spam_sign_call_id"), ondelete="CASCADE"
        ),
    )
    op.create_index("ix_spam_sign_sign", "spam_sign", ["sign"])
    op.create_table(
        "sign_exemption",
        sa.Column("caller", sa.String(16), nullable=False),
        sa.Column("sign", sa.String(20), nullable=False),
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("author", sa.String(70), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("caller", "sign", name="pk_sign_exemption"),
    )
    op.create_index("ix_sign_exemption_call_id", "sign_exemption", ["call_id"])
    op.create_table(
        "blocked_caller",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("author", sa.String(70), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_blocked_caller"),
    )
    op.create_index("ix_blocked_caller_created_at", "blocked_caller", ["created_at"])


def downgrade() -> None:
    """Without signs; calls that were spam by them are none any more when they change."""
    for table in ("blocked_caller", "sign_exemption", "spam_sign"):
        op.drop_table(table)
