"""What calls are found by, with an index of its trigrams: a list need not read every call to find a
part of a name.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from router.domain.calls.search import search_text
from router.store.migrations.building import build_indexes
from router.store.tables import Moment

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

BATCH = 5000
_SQLITE = (
    "CREATE VIRTUAL TABLE call_search_index"
    " USING fts5(text, content='call_search', content_rowid='id', tokenize='trigram')",
    "INSERT INTO call_search_index(call_search_index) VALUES ('rebuild')",
    """CREATE TRIGGER call_search_added AFTER INSERT ON call_search BEGIN
        INSERT INTO call_search_index(rowid, text) VALUES (new.id, new.text);
    END""",
    """CREATE TRIGGER call_search_changed AFTER UPDATE OF text ON call_search BEGIN
        INSERT INTO call_search_index(call_search_index, rowid, text) VALUES ('delete', old.id, old.text);
        INSERT INTO call_search_index(rowid, text) VALUES (new.id, new.text);
    END""",  # noqa: E501
    """CREATE TRIGGER call_search_removed AFTER DELETE ON call_search BEGIN
        INSERT INTO call_search_index(call_search_index, rowid, text) VALUES ('delete', old.id, old.text);
    END""",  # noqa: E501
)
_TRIGRAMS = """CREATE FUNCTION ringtrace_trigrams(words text) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
    'SELECT array(SELECT DISTINCT substr(words, n, 3) FROM generate_series(1, length(words) - 2) AS n)'"""  # noqa: E501
_POSTGRESQL = (
    "CREATE INDEX ix_call_search_trigrams ON call_search USING gin (ringtrace_trigrams(text))"
)


def upgrade() -> None:
    """Write it for the calls there are, then index it."""
    table = op.create_table(
        "call_search",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("arrived_at", Moment, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_call_search"),
    )
    for rows in _written():
        op.bulk_insert(table, rows)
    op.create_index("ix_call_search_call_id", "call_search", ["call_id"], unique=True)
    build_indexes("call_search", {"ix_call_search_newest": ["arrived_at", "call_id", "text"]})
    if op.get_context().dialect.name == "sqlite":
        for statement in _SQLITE:
            op.execute(statement)
        return
    op.execute(_TRIGRAMS)
    op.execute(_POSTGRESQL)
    op.execute("ANALYZE call_search")


def downgrade() -> None:
    """Drop it."""
    if op.get_context().dialect.name == "sqlite":
        op.execute("DROP TABLE call_search_index")
    op.drop_table("call_search")
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION ringtrace_trigrams(text)")


def _written() -> Iterator[list[dict[str, Any]]]:
    """The rows of the calls there are, in the order of their keys."""
    columns = (
        "id",
        "arrived_at",
        "caller",
        "caller_raw",
        "caller_name",
        "answered_by",
        "last_answered_by",
    )
    call = sa.table(
        "call",
        *(sa.column(name, Moment() if name == "arrived_at" else sa.Text()) for name in columns),
    )
    reached = ""
    while True:
        query = sa.select(call).where(call.c.id > reached).order_by(call.c.id).limit(BATCH)
        found = op.get_bind().execute(query).all()
        if not found:
            return
        reached = found[-1].id
        yield [
            {
                "call_id": row.id,
                "arrived_at": row.arrived_at,
                "text": search_text(row.caller, row.caller_raw, *row[4:]),
            }
            for row in found
        ]
