"""Plain names: states of deliveries, the event `call.attributed`, who created a CRM record."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_STATES = {"dead": "failed", "undecided": "needs_review", "dropped": "dismissed"}
_BY_STREAM = "ix_delivery_receiver_id_stream_state_{}"
_STREAM = ["receiver_id", "stream", "state"]


def upgrade() -> None:
    """Rename them."""
    op.execute("ALTER TABLE entity RENAME COLUMN maker TO created_by")
    op.rename_table("account", "receiver_health")
    op.drop_index(_BY_STREAM.format("told_at"), "delivery")
    op.execute("ALTER TABLE delivery RENAME COLUMN told_at TO event_at")
    with op.batch_alter_table("delivery") as batch:
        batch.alter_column("state", type_=sa.String(20), existing_nullable=False)
    op.create_index(_BY_STREAM.format("event_at"), "delivery", [*_STREAM, "event_at"])
    _rename(_STATES, "call.judged", "call.attributed")


def downgrade() -> None:
    """Give the old names back."""
    _rename({new: old for old, new in _STATES.items()}, "call.attributed", "call.judged")
    op.drop_index(_BY_STREAM.format("event_at"), "delivery")
    with op.batch_alter_table("delivery") as batch:
        batch.alter_column("state", type_=sa.String(10), existing_nullable=False)
    op.execute("ALTER TABLE delivery RENAME COLUMN event_at TO told_at")
    op.create_index(_BY_STREAM.format("told_at"), "delivery", [*_STREAM, "told_at"])
    op.rename_table("receiver_health", "account")
    op.execute("ALTER TABLE entity RENAME COLUMN created_by TO maker")


def _rename(states: dict[str, str], old_kind: str, new_kind: str) -> None:
    """Rename states and the kind of the deliveries that are there."""
    delivery = sa.table("delivery", sa.column("state"), sa.column("kind"))
    for old, new in states.items():
        op.execute(sa.update(delivery).where(delivery.c.state == old).values(state=new))
    op.execute(sa.update(delivery).where(delivery.c.kind == old_kind).values(kind=new_kind))
