"""The CEL log in the store: cursors and open rows."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import AwareDatetime, TypeAdapter
from sqlalchemy import Text, cast, delete, select

from router.domain.calls.ledger import Row
from router.service.calls.ports import Cursor, RejectedRow
from router.store import tables
from router.store.direct import AnyConnection
from router.store.writing import upsert

_ROWS = TypeAdapter(list[Row])
_AWARE = TypeAdapter(AwareDatetime)
_CEL_LOG = "cel_log"  # of a single Asterisk; several are distinguished by their system names


@dataclass(frozen=True, slots=True)
class SqlCelLog:
    """The `CelLog` of `router.service.calls.ports`."""

    connection: AnyConnection

    async def cursor(self, cel_log: str = _CEL_LOG) -> Cursor | None:
        """The cursor of the CEL log."""
        row = (
            await self.connection.execute(
                select(tables.cursor).where(tables.cursor.c.name == cel_log)
            )
        ).first()
        if not row:
            return None
        return Cursor(file=row.file, offset=row.offset, finished=tuple(row.finished))

    async def set_cursor(self, cursor: Cursor, cel_log: str = _CEL_LOG) -> None:
        """Save the cursor, in the transaction of the ingested rows."""
        values = {"file": cursor.file, "offset": cursor.offset, "finished": list(cursor.finished)}
        await upsert(self.connection, tables.cursor, [{"name": cel_log, **values}])

    async def names(self) -> set[str]:
        """The names of all Asterisks that write to this database."""
        return set((await self.connection.execute(select(tables.cursor.c.name))).scalars())

    async def open_rows(self, cel_log: str = _CEL_LOG) -> dict[str, list[Row]]:
        """The rows of open calls, by group, without unreadable ones."""
        good, _ = await self._open_rows(cel_log)
        return good

    async def unreadable_open_rows(self, cel_log: str, at: datetime) -> dict[str, RejectedRow]:
        """Unreadable rows of open calls, by group."""
        _, bad = await self._open_rows(cel_log)
        rejected = {}
        for key, (text, reason) in bad.items():
            rejected[key] = RejectedRow(
                file=f"call {key}", offset=0, text=text[:2000], reason=reason, at=at
            )
        return rejected

    async def _open_rows(
        self, cel_log: str
    ) -> tuple[dict[str, list[Row]], dict[str, tuple[str, str]]]:
        table = tables.open_call
        query = select(table.c.linkedid, cast(table.c.rows, Text)).where(table.c.cel_log == cel_log)
        good: dict[str, list[Row]] = {}
        bad: dict[str, tuple[str, str]] = {}
        for linkedid, text in await self.connection.execute(query):
            try:
                good[linkedid] = _read_rows(text)
            except (ValueError, RecursionError) as error:
                bad[linkedid] = (
                    text or "",
                    f"the rows of this open call cannot be read: {error}"[:300],
                )
        return good, bad

    async def save_open_rows(
        self, rows: Mapping[str, Sequence[Row]], closed: Sequence[str], cel_log: str = _CEL_LOG
    ) -> None:
        """Save the rows of open groups, delete those of closed ones."""
        if closed:
            await self.connection.execute(
                delete(tables.open_call).where(tables.open_call.c.linkedid.in_(closed))
            )
        values = []
        for key, r in rows.items():
            values.append(
                {
                    "linkedid": key,
                    "cel_log": cel_log,
                    "rows": _ROWS.dump_python(list(r), mode="json"),
                }
            )

        await upsert(self.connection, tables.open_call, values)

    async def set_aside(self, rejected: Sequence[RejectedRow]) -> None:
        """Save rejected rows with their reason."""
        fields = ("file", "offset", "text", "reason", "at")
        await upsert(
            self.connection,
            tables.rejected_row,
            [{f: getattr(row, f) for f in fields} for row in rejected],
        )


def _read_rows(text: str | None) -> list[Row]:
    """Parse the rows of one open call. Raises ValueError for foreign data."""
    rows = _ROWS.validate_python(json.loads(text or ""))
    if not rows:
        raise ValueError("there is no row")
    for row in rows:
        _AWARE.validate_python(row.at)
    return rows
