"""When channels of a call were on hold, and keys they sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update

from router.domain.calls.call import Hold
from router.domain.calls.keys import PressedKey
from router.store import tables
from router.store.direct import AnyConnection
from router.store.records import rows_among
from router.store.writing import upsert


@dataclass(frozen=True, slots=True)
class SqlHolds:
    """The `Holds` of `router.service.calls.ports`."""

    connection: AnyConnection

    async def note(self, linkedid: str, channel: str, at: datetime, *, held: bool) -> None:
        """A channel went on hold, or resumed."""
        table = tables.on_hold
        linkedid, channel = linkedid[:64], channel[:80]
        if held:
            await upsert(
                self.connection,
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

    async def of(self, linkedids: Sequence[str]) -> list[tuple[str, Hold]]:
        """The holds of these calls, each with its linkedid."""
        rows = await self.connection.execute(
            rows_among(tables.on_hold, "linkedid"), {"keys": list(linkedids)}
        )
        holds = []
        for row in rows:
            holds.append(
                (
                    row.linkedid,
                    Hold(channel=row.channel, started_at=row.started_at, ended_at=row.ended_at),
                )
            )
        return holds

    async def note_key(self, linkedid: str, channel: str, at: datetime, key: str) -> None:
        """A channel sent a key."""
        row = {"linkedid": linkedid[:64], "channel": channel[:80], "at": at, "key": key[:1]}
        await upsert(self.connection, tables.pressed_key, [row])

    async def keys(self, linkedids: Sequence[str]) -> list[tuple[str, PressedKey]]:
        """The keys that channels of these calls sent, each with its linkedid."""
        rows = await self.connection.execute(
            rows_among(tables.pressed_key, "linkedid"), {"keys": list(linkedids)}
        )
        pressed = []
        for row in rows:
            pressed.append((row.linkedid, PressedKey(channel=row.channel, at=row.at, key=row.key)))
        return pressed
