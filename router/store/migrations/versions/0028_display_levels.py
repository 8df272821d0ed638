"""Plain names: fallbacks and their display level, the client key of a holder."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rename them."""
    op.rename_table("showing", "fallback")
    op.execute("ALTER TABLE fallback RENAME COLUMN rung TO level")
    _name_indexes("showing", "fallback")
    op.execute("ALTER TABLE holding RENAME COLUMN household TO client_key")


def downgrade() -> None:
    """Give the old names back."""
    op.execute("ALTER TABLE holding RENAME COLUMN client_key TO household")
    op.execute("ALTER TABLE fallback RENAME COLUMN level TO rung")
    op.rename_table("fallback", "showing")
    _name_indexes("fallback", "showing")


def _name_indexes(old: str, new: str) -> None:
    for columns in (["visit_id"], ["pool_id", "at"]):
        op.drop_index(f"ix_{old}_{'_'.join(columns)}", new)
        op.create_index(f"ix_{new}_{'_'.join(columns)}", new, columns)
