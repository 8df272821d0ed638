"""Registered tags in the store, and their replacement on many calls."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, exists, func, literal, select

from router.domain.calls.tagging import BY_RULES, CountedTag, RegisteredTag
from router.store import tables
from router.store.direct import AnyConnection
from router.store.records import from_any_row, from_rows, to_rows
from router.store.writing import insert_into, place_of, upsert

_tag, _registered = tables.tag, tables.registered_tag
_KEPT = ("call_id", "author", "at", "at_seconds", "arrived_at")  # of a tag that is renamed


@dataclass(frozen=True, slots=True)
class SqlTagRegistry:
    """The `TagRegistry` of `router.service.calls.review_ports`."""

    connection: AnyConnection

    async def find(self, name: str) -> RegisteredTag | None:
        """The tag of this name, if it is registered or being replaced."""
        query = select(_registered).where(_registered.c.name == name)
        row = (await self.connection.execute(query)).first()
        return from_any_row(RegisteredTag, row)

    async def all(self) -> list[RegisteredTag]:
        """Every registered tag: those with a key first, by it; the others by name."""
        query = select(_registered).order_by(
            func.coalesce(_registered.c.digit, 10), _registered.c.name
        )
        return from_rows(RegisteredTag, await self.connection.execute(query))

    async def save(self, *tags: RegisteredTag) -> None:
        """Add or change registered tags."""
        await upsert(self.connection, _registered, to_rows(tags))

    async def remove(self, name: str) -> None:
        """Remove a tag from the registry; calls keep it."""
        await self.connection.execute(delete(_registered).where(_registered.c.name == name))

    async def offered(self, most: int) -> list[RegisteredTag]:
        """Registered tags that are not being replaced: those with a key first."""
        query = (
            select(_registered)
            .where(_registered.c.replaced_by.is_(None))
            .order_by(func.coalesce(_registered.c.digit, 10), _registered.c.name)
            .limit(most)
        )
        return from_rows(RegisteredTag, await self.connection.execute(query))

    async def counted(self, containing: str, most: int) -> list[CountedTag]:
        """Tags whose name contains this: registered ones, then the most frequent others."""
        registered = await self._registered(containing, most)
        names = [tag.name for tag in registered]
        counts = await self._counts(_tag.c.name.in_(names), most)
        first = [
            CountedTag(
                name=tag.name,
                calls=counts.get(tag.name, 0),
                colour=tag.colour,
                digit=tag.digit,
                replaced_by=tag.replaced_by,
            )
            for tag in registered
        ]
        known = exists(select(_registered.c.name).where(_registered.c.name == _tag.c.name))
        others = await self._counts(
            and_(self._holds(_tag.c.name, containing), ~known), most - len(first)
        )
        return [*first, *(CountedTag(name=name, calls=calls) for name, calls in others.items())]

    async def _registered(self, containing: str, most: int) -> list[RegisteredTag]:
        """Those that are being replaced first, because pages follow them."""
        query = (
            select(_registered)
            .where(self._holds(_registered.c.name, containing))
            .order_by(
                _registered.c.replaced_by.is_(None),
                func.coalesce(_registered.c.digit, 10),
                _registered.c.name,
            )
            .limit(most)
        )
        return from_rows(RegisteredTag, await self.connection.execute(query))

    async def _counts(self, condition: Any, most: int) -> dict[str, int]:
        """How many calls have each of these tags, the most frequent first."""
        query = (
            select(_tag.c.name, func.count().label("calls"))
            .where(condition)
            .group_by(_tag.c.name)
            .order_by(func.count().desc(), _tag.c.name)
            .limit(most)
        )
        return {row.name: row.calls for row in await self.connection.execute(query)}

    def _holds(self, column: Any, text: str) -> Any:
        return place_of(self.connection)(column, text) > 0

    async def count(self, name: str) -> int:
        """How many calls have this tag."""
        query = select(func.count()).select_from(_tag).where(_tag.c.name == name)
        return (await self.connection.execute(query)).scalar_one()

    async def next_due(self) -> datetime | None:
        """Since when a tag waits to be replaced."""
        query = select(_registered.c.replaced_at).where(_registered.c.replaced_at.is_not(None))
        found = (await self.connection.execute(query)).scalars()
        return min((at for at in found if at is not None), default=None)

    async def replacements(self) -> dict[str, str]:
        """The tags that are being replaced, each with its new name; empty: it is removed."""
        query = select(_registered.c.name, _registered.c.replaced_by)
        rows = await self.connection.execute(query.where(_registered.c.replaced_by.is_not(None)))
        return {row.name: row.replaced_by for row in rows}

    async def replace(self, name: str, by: str | None, most: int) -> list[str]:
        """Replace a tag on at most this many of its calls, or remove it there; returns their ids.
        A call that has both tags keeps the other one.
        """
        some = select(_tag.c.call_id).where(_tag.c.name == name).limit(most)
        call_ids = list((await self.connection.execute(some)).scalars())
        old = (_tag.c.name == name, _tag.c.call_id.in_(call_ids))
        if by:
            columns = [_tag.c[column] for column in _KEPT]
            rows = select(literal(by), *columns).where(*old)
            await self.connection.execute(self._adding(rows))
        await self.connection.execute(delete(_tag).where(*old))
        return call_ids

    def _adding(self, rows: Any) -> Any:
        adding = insert_into(_tag, self.connection.dialect.name)
        adding = adding.from_select(["name", *_KEPT], rows)
        # what a person set stays theirs, what a rule set beside it does not count
        new = {column: adding.excluded[column] for column in ("author", "at", "at_seconds")}
        return adding.on_conflict_do_update(
            index_elements=["call_id", "name"], set_=new, where=_tag.c.author == BY_RULES
        )
