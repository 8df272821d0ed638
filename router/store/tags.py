"""Tags of calls in the store."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select

from router.domain.calls.call import Tag
from router.store import tables
from router.store.direct import AnyConnection
from router.store.records import from_row, to_new_row
from router.store.writing import upsert

_tag = tables.tag


@dataclass(frozen=True, slots=True)
class SqlTags:
    """The `Tags` of `router.service.calls.ports`."""

    connection: AnyConnection

    async def of(self, call_ids: Sequence[str]) -> dict[str, list[Tag]]:
        """The tags of these calls."""
        found: dict[str, list[Tag]] = {}
        if call_ids:
            query = (
                select(_tag).where(_tag.c.call_id.in_(call_ids)).order_by(_tag.c.at, _tag.c.name)
            )
            for row in await self.connection.execute(query):
                found.setdefault(row.call_id, []).append(from_row(Tag, row))
        return found

    async def add(self, *tags: Tag) -> None:
        """Set tags; existing ones stay."""
        present = await self.of([tag.call_id for tag in tags])
        new = [
            tag for tag in tags if tag.name not in {t.name for t in present.get(tag.call_id, ())}
        ]
        await upsert(self.connection, _tag, [to_new_row(tag) for tag in new])

    async def remove(self, call_id: str, name: str) -> None:
        """Remove a tag, if present."""
        await self.connection.execute(
            delete(_tag).where(_tag.c.call_id == call_id, _tag.c.name == name)
        )
