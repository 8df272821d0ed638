"""Calls back and notes on listening in are erased with their call."""

import sqlalchemy as sa
from alembic import op

from router.store.migrations.building import build_indexes

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

_TABLES = ("call_back", "listening")


def upgrade() -> None:
    """Remove the rows whose call is gone, and let the others go with it."""
    for name in _TABLES:
        rows = sa.table(name, sa.column("call_id"))
        calls = sa.select(sa.table("call", sa.column("id")).c.id)
        op.execute(sa.delete(rows).where(rows.c.call_id.not_in(calls)))
        with op.batch_alter_table(name) as batch:
            batch.create_foreign_key(
                f"fk_{name}_call_id", "call", ["call_id"], ["id"], ondelete="CASCADE"
            )
    build_indexes("call_back", {"ix_call_back_call_id": ["call_id"]})


def downgrade() -> None:
    """Without the keys."""
    op.drop_index("ix_call_back_call_id", "call_back")
    for name in _TABLES:
        with op.batch_alter_table(name) as batch:
            batch.drop_constraint(f"fk_{name}_call_id", type_="foreignkey")
