"""The longest silence and the level of each side of a recording, as the recorder measures them."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_NAMES = [
    f"{side}_{what}"
    for what in ("longest_silence_seconds", "level_dbfs")
    for side in ("caller", "company")
]


def upgrade() -> None:
    """Add them."""
    for name in _NAMES:
        op.add_column("recording", sa.Column(name, sa.Float))


def downgrade() -> None:
    """Drop them."""
    for name in reversed(_NAMES):
        op.drop_column("recording", name)
