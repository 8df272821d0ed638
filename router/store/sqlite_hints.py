"""SQLAlchemy has hints for SQLite and does not write them into statements."""

from typing import Any

from sqlalchemy.dialects.sqlite.base import SQLiteCompiler


class SQLiteHints(SQLiteCompiler):
    """Writes `INDEXED BY` where `with_hint` asks for it."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        """The hint of a table in FROM."""
        return text
