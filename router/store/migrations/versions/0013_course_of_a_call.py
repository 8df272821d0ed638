"""The course of a call: its periods, the time behind transfers, and who talked to the caller
last.
"""

import sqlalchemy as sa
from alembic import op

from router.store import tables

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Calls kept so far have no periods. Who answered one that was not transferred was the last to
    talk, too.

    The columns are added outside a batch and keep their defaults: otherwise SQLite would copy the
    table, which takes minutes at a million calls.
    """
    for column in (
        sa.Column("transfer_seconds", sa.Float(), nullable=False, server_default=sa.text("0")),
        sa.Column("last_answered_by", sa.Text(), nullable=True),
        sa.Column("periods", tables.Json, nullable=False, server_default=sa.text("'[]'")),
        sa.Column("clock_stepped", sa.Boolean(), nullable=False, server_default=sa.false()),
    ):
        op.add_column("call", column)

    op.execute(
        "UPDATE call SET last_answered_by = answered_by WHERE CAST(transfers AS TEXT) = '[]'"
    )


def downgrade() -> None:
    """Take the columns away. Endings that did not exist then become those that calls had."""
    for name in ("clock_stepped", "periods", "last_answered_by", "transfer_seconds"):
        op.drop_column("call", name)

    op.execute("UPDATE call SET ending = 'answered' WHERE ending = 'lost_in_transfer'")
    op.execute("UPDATE call SET ending = 'abandoned_early' WHERE ending = 'abandoned'")
