"""The CEL log in the store: how far it was read, and what is kept between two readings of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import AwareDatetime, TypeAdapter
from sqlalchemy import Text, cast, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from router.domain.calls.call import Hold
from router.domain.calls.ledger import Row
from router.service.ports import Cursor, Heartbeat, RejectedRow, RouteRequest
from router.store import tables
from router.store.direct import DirectConnection
from router.store.records import rows_among

_ROWS = TypeAdapter(list[Row])
_AWARE = TypeAdapter(AwareDatetime)
_JOURNAL = "journal"  # of a single Asterisk; several are told apart by their system names


class CelLog:
    """The part of a session that knows the CEL log."""

    connection: AsyncConnection | DirectConnection

    if TYPE_CHECKING:

        async def _upsert(self, table: Any, rows: Sequence[dict[str, Any]]) -> None: ...

    async def cursor(self, journal: str = _JOURNAL) -> Cursor | None:
        """How far the journal was read."""
        row = (
            await self.connection.execute(
                select(tables.cursor).where(tables.cursor.c.name == journal)
            )
        ).first()
        return (
            Cursor(file=row.file, offset=row.offset, finished=tuple(row.finished)) if row else None
        )

    async def set_cursor(self, cursor: Cursor, journal: str = _JOURNAL) -> None:
        """Remember how far the journal was read, with what was learned from it."""
        values = {"file": cursor.file, "offset": cursor.offset, "finished": list(cursor.finished)}
        await self._upsert(tables.cursor, [{"name": journal, **values}])

    async def journals(self) -> set[str]:
        """The names of all Asterisks whose journals are read into this database."""
        return set((await self.connection.execute(select(tables.cursor.c.name))).scalars())

    async def open_rows(self, journal: str = _JOURNAL) -> dict[str, list[Row]]:
        """The rows of calls that have not ended, by group; those that cannot be read are left
        out.
        """
        good, _ = await self._open_rows(journal)
        return good

    async def unreadable_open_rows(self, journal: str, at: datetime) -> dict[str, RejectedRow]:
        """What cannot be read among the rows of open calls, by group."""
        _, bad = await self._open_rows(journal)
        return {
            key: RejectedRow(file=f"call {key}", offset=0, text=text[:2000], reason=reason, at=at)
            for key, (text, reason) in bad.items()
        }

    async def _open_rows(
        self, journal: str
    ) -> tuple[dict[str, list[Row]], dict[str, tuple[str, str]]]:
        table = tables.open_call
        query = select(table.c.linkedid, cast(table.c.rows, Text)).where(table.c.journal == journal)
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
        self, rows: Mapping[str, Sequence[Row]], closed: Sequence[str], journal: str = _JOURNAL
    ) -> None:
        """Keep the rows of open groups, forget those of closed ones."""
        if closed:
            await self.connection.execute(
                delete(tables.open_call).where(tables.open_call.c.linkedid.in_(closed))
            )
        values = [
            {"linkedid": key, "journal": journal, "rows": _ROWS.dump_python(list(r), mode="json")}
            for key, r in rows.items()
        ]
        await self._upsert(tables.open_call, values)

    async def set_aside(self, rejected: Sequence[RejectedRow]) -> None:
        """Keep unreadable rows with their reason."""
        fields = ("file", "offset", "text", "reason", "at")
        await self._upsert(
            tables.rejected_row, [{f: getattr(row, f) for f in fields} for row in rejected]
        )

    async def add_route_requests(self, requests: Sequence[RouteRequest], journal: str) -> None:
        """Keep what the dialplan asked, until the CEL log speaks of it."""
        rows = {one.linkedid: {**asdict(one), "journal": journal} for one in requests}
        await self._upsert(tables.route_request, list(rows.values()))

    async def forget_route_requests(self, linkedids: Sequence[str] = ()) -> None:
        """Keep no more what the dialplan asked for these calls, and for those that are known."""
        asked = tables.route_request
        known = exists().where(tables.call.c.id == asked.c.linkedid)
        await self.connection.execute(
            delete(asked).where(or_(known, asked.c.linkedid.in_(linkedids)))
        )

    async def route_requests(self, journal: str, before: datetime) -> list[RouteRequest]:
        """What the dialplan asked before then for calls that nothing else is known of, the oldest
        first.
        """
        asked = tables.route_request
        query = (
            select(asked)
            .where(asked.c.journal == journal, asked.c.at < before)
            .order_by(asked.c.at)
            .limit(1000)
        )
        rows = await self.connection.execute(query)
        return [
            RouteRequest(**{k: v for k, v in row._mapping.items() if k != "journal"})
            for row in rows
        ]

    async def beat(self, heartbeat: Heartbeat) -> None:
        """Keep a process's last sign of life."""
        await self._upsert(tables.heartbeat, [asdict(heartbeat)])

    async def heartbeats(self) -> list[Heartbeat]:
        """The last sign of life of every process."""
        rows = await self.connection.execute(
            select(tables.heartbeat).order_by(tables.heartbeat.c.name)
        )
        return [Heartbeat(**row._mapping) for row in rows]

    async def hold(self, linkedid: str, channel: str, at: datetime, *, held: bool) -> None:
        """A channel went on hold, or came back."""
        table = tables.on_hold
        linkedid, channel = linkedid[:64], channel[:80]
        if held:
            await self._upsert(
                table,
                [{"linkedid": linkedid, "channel": channel, "started_at": at, "ended_at": None}],
            )
            return
        mine = (
            (table.c.linkedid == linkedid)
            & (table.c.channel == channel)
            & table.c.ended_at.is_(None)
        )
        await self.connection.execute(update(table).where(mine).values(ended_at=at))

    async def holds(self, linkedids: Sequence[str]) -> list[tuple[str, Hold]]:
        """The holds of these calls, each with its linkedid."""
        rows = await self.connection.execute(
            rows_among(tables.on_hold, "linkedid"), {"keys": list(linkedids)}
        )
        return [
            (
                row.linkedid,
                Hold(channel=row.channel, started_at=row.started_at, ended_at=row.ended_at),
            )
            for row in rows
        ]


def _read_rows(text: str | None) -> list[Row]:
    """The rows of one open call. Raises ValueError for what no version of ours wrote."""
    rows = _ROWS.validate_python(json.loads(text or ""))
    if not rows:
        raise ValueError("there is no row")
    for row in rows:
        _AWARE.validate_python(row.at)
    return rows
