"""The language of a site's texts in CRMs; a connection may have another one."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from router.store.tables.columns import Json

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_connection = sa.table("connection", sa.column("id", sa.String), sa.column("rules", Json))


def upgrade() -> None:
    """English sites; connections in English take the language of the site."""
    english = sa.text("'en'")
    op.add_column(
        "site", sa.Column("language", sa.String(2), nullable=False, server_default=english)
    )
    for key, rules in _connections():
        if rules.get("language") == "en":
            _change(key, {name: value for name, value in rules.items() if name != "language"})


def downgrade() -> None:
    """Each connection has a language again: without one of its own, English."""
    for key, rules in _connections():
        if rules.get("language") is None:
            _change(key, {**rules, "language": "en"})
    op.drop_column("site", "language")


def _connections() -> list[tuple[str, dict[str, Any]]]:
    rows = op.get_bind().execute(sa.select(_connection.c.id, _connection.c.rules))
    return [(key, rules) for key, rules in rows if isinstance(rules, dict)]


def _change(key: str, rules: dict[str, Any]) -> None:
    changed = sa.update(_connection).where(_connection.c.id == key).values(rules=rules)
    op.get_bind().execute(changed)
