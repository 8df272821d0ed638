"""Indexes for rare values of filters, and for lists that are sorted by a figure."""

import sqlalchemy as sa
from alembic import op

from router.store.migrations.building import build_indexes

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

_CHOICES = {
    "ix_call_facet_channel": "channel",
    "ix_call_facet_destination": "destination_id",
    "ix_call_facet_answered_by": "answered_by",
    "ix_call_facet_last_answered_by": "last_answered_by",
}
_FIGURES = {
    f"ix_call_facet_by_{name}": name
    for name in ("wait", "talk", "silence", "talk_over", "probability", "score")
}
_INDEXES = {
    name: [column, "arrived_at", "call_id"] for name, column in (_CHOICES | _FIGURES).items()
}
_FLAGS = ("reviewed", "commented")


def upgrade() -> None:
    """Build them."""
    build_indexes("call_facet", _INDEXES)
    build_indexes("entity", {"ix_entity_external_id": ["external_id"]})
    for name in _FLAGS:
        op.create_index(
            f"ix_call_facet_{name}",
            "call_facet",
            ["arrived_at", "call_id", name],
            sqlite_where=sa.text(f"{name} IS 1"),
            postgresql_where=sa.text(f"{name} IS true"),
        )


def downgrade() -> None:
    """Drop them."""
    for name in _FLAGS:
        op.drop_index(f"ix_call_facet_{name}", "call_facet")
    op.drop_index("ix_entity_external_id", "entity")
    for name in _INDEXES:
        op.drop_index(name, "call_facet")
