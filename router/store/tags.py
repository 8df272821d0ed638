"""Tags of calls in the store."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, update

from router.domain.calls.call import Tag
from router.domain.calls.tagging import BY_RULES
from router.store import tables
from router.store.direct import AnyConnection
from router.store.records import from_row, to_new_row
from router.store.writing import upsert

_tag, _registered = tables.tag, tables.registered_tag
# of the tags of a page alone: a join may read all registered tags, 10 ms with 10,000
_COLOUR = select(_registered.c.colour).where(_registered.c.name == _tag.c.name).scalar_subquery()
_TAGS = select(_tag, _COLOUR.label("colour")).order_by(_tag.c.at, _tag.c.name)


@dataclass(frozen=True, slots=True)
class SqlTags:
    """The `Tags` of `router.service.calls.ports`."""

    connection: AnyConnection

    async def of(self, call_ids: Sequence[str]) -> dict[str, list[Tag]]:
        """The tags of these calls."""
        found: dict[str, list[Tag]] = {}
        if call_ids:
            query = _TAGS.where(_tag.c.call_id.in_(call_ids))
            for row in await self.connection.execute(query):
                found.setdefault(row.call_id, []).append(from_row(Tag, row))
        return found

    async def add(self, *tags: Tag) -> None:
        """Set tags; existing ones stay, and get the moment if one is given. A tag of a rule that a
        person or Ringtrace itself sets, too, is theirs from then on.
        """
        present = await self.of([tag.call_id for tag in tags])
        names = set()
        for found in present.values():
            for tag in found:
                if tag.author != BY_RULES:
                    names.add((tag.call_id, tag.name))

        new = [tag for tag in tags if (tag.call_id, tag.name) not in names]
        await upsert(self.connection, _tag, [to_new_row(tag) for tag in new])

        for tag in tags:
            if tag not in new and tag.at_seconds is not None:
                same = (_tag.c.call_id == tag.call_id, _tag.c.name == tag.name)
                moved = update(_tag).where(*same).values(at_seconds=tag.at_seconds)
                await self.connection.execute(moved)

    async def remove(self, call_id: str, name: str) -> None:
        """Remove a tag, if present."""
        await self.connection.execute(
            delete(_tag).where(_tag.c.call_id == call_id, _tag.c.name == name)
        )
