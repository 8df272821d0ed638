"""Signs of spam in the store."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, update

from router.domain.calls.qualification import FoundSign, Sign
from router.domain.calls.spam import EVERYONE, BlockedCaller
from router.store import tables
from router.store.counters import count_up
from router.store.direct import AnyConnection
from router.store.records import batched, from_row, from_rows, to_rows
from router.store.writing import add_absent, upsert

_call, _sign = tables.call, tables.spam_sign
_exempt, _blocked = tables.sign_exemption, tables.blocked_caller
AT_ONCE = 500  # keys of one query


@dataclass(frozen=True, slots=True)
class SqlSpam:
    """The `Spam` of `router.service.calls.spam_ports`."""

    connection: AnyConnection

    async def signs(self, call_ids: Collection[str]) -> dict[str, list[FoundSign]]:
        """All signs on these calls."""
        return await self._found(_sign.c.call_id.in_(list(call_ids)))

    async def counting(self, call_ids: Collection[str]) -> dict[str, list[FoundSign]]:
        """The signs on these calls that count for their callers."""
        callers = or_(_exempt.c.caller == EVERYONE, _exempt.c.caller == _call.c.caller)
        exempt = exists(
            select(_exempt.c.caller)
            .select_from(_exempt.join(_call, callers))
            .where(_call.c.id == _sign.c.call_id, _exempt.c.sign == _sign.c.sign)
        )
        return await self._found(_sign.c.call_id.in_(list(call_ids)), ~exempt)

    async def _found(self, *conditions: ColumnElement[bool]) -> dict[str, list[FoundSign]]:
        found: dict[str, list[FoundSign]] = {}
        query = select(_sign).where(*conditions).order_by(_sign.c.sign)
        for row in await self.connection.execute(query):
            found.setdefault(row.call_id, []).append(from_row(FoundSign, row))
        return found

    async def save(
        self, considered: Mapping[Sign, Collection[str]], found: Sequence[FoundSign]
    ) -> None:
        """Of the calls that were considered, exactly these have a sign."""
        for sign, call_ids in considered.items():
            kept = {one.call_id for one in found if one.sign is sign}
            gone = [call_id for call_id in call_ids if call_id not in kept]
            of_sign = (_sign.c.sign == sign, _sign.c.call_id.in_(gone))
            await self.connection.execute(delete(_sign).where(*of_sign))
        await upsert(self.connection, _sign, to_rows(found))

    async def calls_of(self, caller: str, most: int) -> list[str]:
        """The newest calls of a caller that have a sign."""
        query = (
            select(_call.c.id)
            .where(_call.c.caller == caller, _call.c.id.in_(select(_sign.c.call_id)))
            .order_by(_call.c.arrived_at.desc())
            .limit(most)
        )
        return list((await self.connection.execute(query)).scalars())

    async def exempt(
        self, caller: str, sign: Sign, *, call_id: str, author: str, now: datetime
    ) -> None:
        """A sign counts no longer for this caller."""
        row: dict[str, Any] = {"caller": caller, "sign": sign, "call_id": call_id}
        await add_absent(self.connection, _exempt, {**row, "author": author, "at": now})

    async def count_again(self, *, call_id: str) -> None:
        """The signs that were undone on this call count again."""
        await self.connection.execute(delete(_exempt).where(_exempt.c.call_id == call_id))

    async def switch(self, sign: Sign, *, on: bool, author: str, now: datetime) -> None:
        """Let a sign count, or for no caller at all."""
        if not on:
            await self.exempt(EVERYONE, sign, call_id="", author=author, now=now)
            return
        for_all = (_exempt.c.caller == EVERYONE, _exempt.c.sign == sign)
        await self.connection.execute(delete(_exempt).where(*for_all))

    async def switched_off(self) -> set[Sign]:
        """The signs that count for no caller."""
        query = select(_exempt.c.sign).where(_exempt.c.caller == EVERYONE)
        return {Sign(sign) for sign in (await self.connection.execute(query)).scalars()}

    async def counts(self, since: datetime) -> dict[Sign, int]:
        """On how many calls since then each sign was found."""
        query = (
            select(_sign.c.sign, func.count())
            .join(_call, _call.c.id == _sign.c.call_id)
            .where(_call.c.arrived_at >= since)
            .group_by(_sign.c.sign)
        )
        return {Sign(row[0]): row[1] for row in await self.connection.execute(query)}

    async def blocked(self, ids: Collection[str]) -> set[str]:
        """Which of these entries the block list has."""
        found: set[str] = set()
        for some in batched(ids, AT_ONCE):
            query = select(_blocked.c.id).where(_blocked.c.id.in_(some))
            found |= set((await self.connection.execute(query)).scalars())
        return found

    async def listed(self, containing: str, most: int) -> list[BlockedCaller]:
        """The newest entries that contain these digits."""
        has_it = _blocked.c.id.contains(containing, autoescape=True)
        query = select(_blocked).where(has_it).order_by(_blocked.c.created_at.desc(), _blocked.c.id)
        rows = await self.connection.execute(query.limit(most))
        return from_rows(BlockedCaller, rows)

    async def count_listed(self) -> int:
        """How many entries the block list has."""
        query = select(func.count()).select_from(_blocked)
        return (await self.connection.execute(query)).scalar_one()

    async def block(self, entries: Sequence[BlockedCaller]) -> int:
        """Add entries; returns how many were not there."""
        known = await self.blocked([entry.id for entry in entries])
        new = {entry.id: entry for entry in entries if entry.id not in known}
        await upsert(self.connection, _blocked, to_rows(new.values()))
        return len(new)

    async def unblock(self, entry: str) -> bool:
        """Remove an entry; whether it was there."""
        done = await self.connection.execute(delete(_blocked).where(_blocked.c.id == entry))
        return done.rowcount > 0

    async def look_again(self, *, sign: Sign | None = None, entry: str | None = None) -> None:
        """Let the rules look again at calls with this sign, or of the callers of this entry."""
        concerned: ColumnElement[bool] = _call.c.caller == entry
        if sign is not None:
            concerned = _call.c.id.in_(select(_sign.c.call_id).where(_sign.c.sign == sign))
        elif entry is not None and entry.endswith("*"):
            first = entry.removesuffix("*")
            # ":" comes after "9"
            concerned = and_(_call.c.caller >= first, _call.c.caller < f"{first}:")
        revision = await count_up(self.connection, "calls")
        await self.connection.execute(update(_call).where(concerned).values(revision=revision))
