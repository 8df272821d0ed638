"""Accounts at CRMs and analytics services, what they keep of calls, and deliveries that go in order."""

import sqlalchemy as sa
from alembic import op

from router.store import tables

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_KEY, _MOMENT = sa.String(40), tables.Moment()
_LATER = {"revision": "0", "candidates": "'[]'"}  # columns that may not be empty: what older rows get


def upgrade() -> None:
    """New tables; deliveries get a stream, a revision and what a person may choose among."""
    op.create_table(
        "connection",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("site_id", _KEY),
        sa.Column("mode", sa.String(10), nullable=False),
        sa.Column("rules", tables.Json, nullable=False),
        sa.Column("options", tables.Json, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_connection_site_id")),
    )
    op.create_table(
        "account",
        sa.Column("receiver_id", _KEY, nullable=False),
        sa.Column("next_at", _MOMENT, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("paused_until", _MOMENT, nullable=False),
        sa.Column("reason", sa.Text()),
        sa.PrimaryKeyConstraint("receiver_id", name=op.f("pk_account")),
    )
    op.create_table(
        "entity",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("connection_id", _KEY),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("external_id", sa.String(80), nullable=False),
        sa.Column("maker", sa.String(10), nullable=False),
        sa.Column("client_id", sa.Text()),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entity")),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_entity_call_id")),
    )
    op.create_index("ix_entity_call_id", "entity", ["call_id"])
    op.create_index("ix_entity_connection_id_kind_external_id", "entity", ["connection_id", "kind", "external_id"])
    with op.batch_alter_table("delivery") as batch:
        batch.add_column(sa.Column("stream", sa.String(80)))
        batch.add_column(sa.Column("told_at", _MOMENT))
        batch.add_column(sa.Column("claimed_until", _MOMENT))
        batch.add_column(sa.Column("chosen", tables.Json))
        for name, kind in (("revision", sa.Integer()), ("candidates", tables.Json)):
            batch.add_column(sa.Column(name, kind, nullable=False, server_default=sa.text(_LATER[name])))
    with op.batch_alter_table("delivery") as batch:
        for name in _LATER:
            batch.alter_column(name, server_default=None)
        batch.drop_index("ix_delivery_state_due_at")
        batch.create_index("ix_delivery_state_receiver_id_due_at", ["state", "receiver_id", "due_at"])
        batch.create_index(
            "ix_delivery_receiver_id_stream_state_told_at", ["receiver_id", "stream", "state", "told_at"]
        )


def downgrade() -> None:
    """What waits for a person is given up."""
    op.execute("UPDATE delivery SET state = 'dead' WHERE state = 'undecided'")
    with op.batch_alter_table("delivery") as batch:
        batch.drop_index("ix_delivery_receiver_id_stream_state_told_at")
        batch.drop_index("ix_delivery_state_receiver_id_due_at")
        batch.create_index("ix_delivery_state_due_at", ["state", "due_at"])
        for name in ("stream", "told_at", "claimed_until", "chosen", *_LATER):
            batch.drop_column(name)
    for table in ("entity", "account", "connection"):
        op.drop_table(table)
