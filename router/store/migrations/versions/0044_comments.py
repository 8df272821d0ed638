"""Comments on calls, and their words in the search."""

import sqlalchemy as sa
from alembic import op

from router.store.tables.columns import Json, Moment

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

_TRIGRAMS = (
    "CREATE INDEX ix_call_search_trigrams_comments ON call_search"
    " USING gin (ringtrace_trigrams(comments))"
)


def upgrade() -> None:
    """No call has a comment."""
    op.create_table(
        "comment",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("author", sa.String(70), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("at_seconds", sa.Float),
        sa.Column("private", sa.Boolean, nullable=False),
        sa.Column("readers", Json, nullable=False),
        sa.Column("edited_at", Moment),
        sa.PrimaryKeyConstraint("id", name="pk_comment"),
        sa.ForeignKeyConstraint(
            ["call_id"], ["call.id"], name=op.f("fk_comment_call_id"), ondelete="CASCADE"
        ),
    )
    op.create_index("ix_comment_call_id", "comment", ["call_id"])
    comments = sa.Column("comments", sa.Text, nullable=False, server_default=sa.text("''"))
    op.add_column("call_search", comments)
    if op.get_context().dialect.name == "sqlite":
        _index_again("text", "comments")
    else:
        op.execute(_TRIGRAMS)


def downgrade() -> None:
    """Without comments."""
    if op.get_context().dialect.name == "sqlite":
        _index_again("text")
    else:
        op.drop_index("ix_call_search_trigrams_comments", "call_search")
    op.drop_column("call_search", "comments")
    op.drop_table("comment")
    op.execute("UPDATE call_facet SET commented = false WHERE commented")


def _index_again(*columns: str) -> None:
    """SQLite's index of trigrams, over these columns."""
    names = ", ".join(columns)
    new = ", ".join(f"new.{column}" for column in columns)
    old = ", ".join(f"old.{column}" for column in columns)
    adding = f"INSERT INTO call_search_index(rowid, {names}) VALUES (new.id, {new});"  # noqa: S608
    removing = (
        f"INSERT INTO call_search_index(call_search_index, rowid, {names})"  # noqa: S608
        f" VALUES ('delete', old.id, {old});"
    )
    for trigger in ("added", "changed", "removed"):
        op.execute(f"DROP TRIGGER call_search_{trigger}")
    op.execute("DROP TABLE call_search_index")
    op.execute(
        "CREATE VIRTUAL TABLE call_search_index"
        f" USING fts5({names}, content='call_search', content_rowid='id', tokenize='trigram')"
    )
    op.execute("INSERT INTO call_search_index(call_search_index) VALUES ('rebuild')")
    for trigger, event, done in (
        ("added", "INSERT", adding),
        ("changed", f"UPDATE OF {names}", f"{removing} {adding}"),
        ("removed", "DELETE", removing),
    ):
        op.execute(
            f"CREATE TRIGGER call_search_{trigger} AFTER {event} ON call_search BEGIN {done} END"
        )
