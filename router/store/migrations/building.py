"""Builds indexes of large tables while others write, if the database can."""

from collections.abc import Mapping, Sequence

from alembic import op


def build_indexes(table: str, indexes: Mapping[str, Sequence[str]]) -> None:
    """Create these indexes. On PostgreSQL without blocking writers; those of an interrupted attempt
    are rebuilt.
    """
    context = op.get_context()
    if context.dialect.name != "postgresql":
        for name, columns in indexes.items():
            op.create_index(name, table, columns)
        return
    with context.autocommit_block():
        for name, columns in indexes.items():
            op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)
            op.create_index(name, table, columns, postgresql_concurrently=True)
