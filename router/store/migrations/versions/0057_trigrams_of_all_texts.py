"""PostgreSQL's index of trigrams over texts and comments together: one scan of it finds what has
several words.
"""

from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

_TOGETHER = ("ix_call_search_trigrams_of_all", "text || comments")
_APART = (
    ("ix_call_search_trigrams", "text"),
    ("ix_call_search_trigrams_comments", "comments"),
)


def upgrade() -> None:
    """Build it instead of the two. SQLite's index has both columns."""
    if op.get_context().dialect.name == "postgresql":
        _build(_TOGETHER)
        op.execute("ANALYZE call_search")
        for name, _ in _APART:
            op.execute(f"DROP INDEX IF EXISTS {name}")


def downgrade() -> None:
    """Build the two again."""
    if op.get_context().dialect.name == "postgresql":
        _build(*_APART)
        op.execute(f"DROP INDEX {_TOGETHER[0]}")


def _build(*indexes: tuple[str, str]) -> None:
    """Without blocking writers; those of an interrupted attempt are rebuilt."""
    with op.get_context().autocommit_block():
        for name, words in indexes:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            trigrams = f"gin (ringtrace_trigrams({words}))"
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON call_search USING {trigrams}")
