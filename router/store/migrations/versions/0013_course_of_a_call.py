"""The course of a call: its periods, the time behind transfers, and who talked to the caller last."""

import sqlalchemy as sa
from alembic import op

from router.store import tables

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Calls kept so far have no periods. Who answered one that was not transferred was the last to talk, too.

    The defaults stay: to drop them, SQLite would copy the table, which takes minutes at a million calls.
    """
    with op.batch_alter_table("call") as batch:
        batch.add_column(sa.Column("transfer_seconds", sa.Float(), nullable=False, server_default=sa.text("0")))
        batch.add_column(sa.Column("last_answered_by", sa.Text(), nullable=True))
        batch.add_column(sa.Column("periods", tables.Json, nullable=False, server_default=sa.text("'[]'")))
        batch.add_column(sa.Column("clock_stepped", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute("UPDATE call SET last_answered_by = answered_by WHERE CAST(transfers AS TEXT) = '[]'")


def downgrade() -> None:
    """Take the columns away. Endings that did not exist then become those that calls had."""
    with op.batch_alter_table("call") as batch:
        for name in ("clock_stepped", "periods", "last_answered_by", "transfer_seconds"):
            batch.drop_column(name)
    op.execute("UPDATE call SET ending = 'answered' WHERE ending = 'lost_in_transfer'")
    op.execute("UPDATE call SET ending = 'abandoned_early' WHERE ending = 'abandoned'")
