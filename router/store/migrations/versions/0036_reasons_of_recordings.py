"""Why there is no recording, as a code; older sentences become `text`."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from router.store.tables.columns import JsonOrNull

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Sentences become outcomes."""
    made = "json_object" if _sqlite() else "jsonb_build_object"
    _replace(JsonOrNull, f"{made}('code', 'text', 'params', {made}('text', old))")


def downgrade() -> None:
    """Outcomes become text: the sentences of `text`, and of others the code and its detail."""
    if _sqlite():
        text, code, detail = (f"json_extract(old, '$.{path}')" for path in _PATHS)
    else:
        text, code, detail = (f"old #>> '{{{path.replace('.', ',')}}}'" for path in _PATHS)
    _replace(sa.Text(), f"coalesce({text}, {code} || coalesce(': ' || ({detail}), ''))")


_PATHS = ("params.text", "code", "params.detail")


def _sqlite() -> bool:
    return op.get_context().dialect.name == "sqlite"


def _replace(kind: Any, value: str) -> None:
    op.execute("ALTER TABLE recording RENAME COLUMN reason TO old")
    op.add_column("recording", sa.Column("reason", kind))
    op.execute(f"UPDATE recording SET reason = {value} WHERE old IS NOT NULL")  # noqa: S608
    op.drop_column("recording", "old")
