"""Turns columns of sentences into columns of outcomes, and back; older sentences become `text`."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from router.store.tables.columns import JsonOrNull

_PATHS = ("params.text", "code", "params.detail")


def to_outcomes(table: str, column: str) -> None:
    """Sentences become outcomes with the code `text`."""
    made = "json_object" if _sqlite() else "jsonb_build_object"
    _replace(table, column, JsonOrNull, f"{made}('code', 'text', 'params', {made}('text', old))")


def to_sentences(table: str, column: str) -> None:
    """Outcomes become text: the sentences of `text`, and of others the code and its detail."""
    if _sqlite():
        text, code, detail = (f"json_extract(old, '$.{path}')" for path in _PATHS)
    else:
        text, code, detail = (f"old #>> '{{{path.replace('.', ',')}}}'" for path in _PATHS)
    words = f"coalesce({text}, {code} || coalesce(': ' || ({detail}), ''))"
    _replace(table, column, sa.Text(), words)


def _sqlite() -> bool:
    return op.get_context().dialect.name == "sqlite"


def _replace(table: str, column: str, kind: Any, value: str) -> None:
    op.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO old")
    op.add_column(table, sa.Column(column, kind))
    op.execute(f"UPDATE {table} SET {column} = {value} WHERE old IS NOT NULL")  # noqa: S608
    op.drop_column(table, "old")
