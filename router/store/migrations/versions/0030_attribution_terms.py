"""Plain names: candidates of a call, unattributed calls of a number, when a model was trained."""

import sqlalchemy as sa
from alembic import op

from router.store.tables.columns import Json

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rename them."""
    op.execute('ALTER TABLE "call" RENAME COLUMN suspects TO candidates')
    op.execute("ALTER TABLE number RENAME COLUMN strays TO unattributed_calls")
    op.execute("ALTER TABLE model RENAME COLUMN learned_at TO trained_at")
    _rename_rate("stray", "unattributed")


def downgrade() -> None:
    """Give the old names back."""
    _rename_rate("unattributed", "stray")
    op.execute("ALTER TABLE model RENAME COLUMN trained_at TO learned_at")
    op.execute("ALTER TABLE number RENAME COLUMN unattributed_calls TO strays")
    op.execute('ALTER TABLE "call" RENAME COLUMN candidates TO suspects')


def _rename_rate(old: str, new: str) -> None:
    """Rename a value of every site's model."""
    model = sa.table("model", sa.column("site_id"), sa.column("values", Json))
    connection = op.get_bind()
    for site_id, values in connection.execute(sa.select(model)).all():
        changed = {new if name == old else name: value for name, value in values.items()}
        this = sa.update(model).where(model.c.site_id == site_id)
        connection.execute(this.values({model.c["values"]: changed}))
