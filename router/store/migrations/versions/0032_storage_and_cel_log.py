"""Plain names: stored recordings, the CEL log that a row is from."""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rename them."""
    op.execute("ALTER TABLE recording RENAME COLUMN shelved_at TO stored_at")
    op.execute("UPDATE recording SET state = 'stored' WHERE state = 'shelved'")
    op.drop_index("ix_open_call_journal", "open_call")
    op.execute("ALTER TABLE open_call RENAME COLUMN journal TO cel_log")
    op.create_index("ix_open_call_cel_log", "open_call", ["cel_log"])
    op.execute("ALTER TABLE route_request RENAME COLUMN journal TO cel_log")


def downgrade() -> None:
    """Give the old names back."""
    op.execute("ALTER TABLE route_request RENAME COLUMN cel_log TO journal")
    op.drop_index("ix_open_call_cel_log", "open_call")
    op.execute("ALTER TABLE open_call RENAME COLUMN cel_log TO journal")
    op.create_index("ix_open_call_journal", "open_call", ["journal"])
    op.execute("UPDATE recording SET state = 'shelved' WHERE state = 'stored'")
    op.execute("ALTER TABLE recording RENAME COLUMN stored_at TO shelved_at")
