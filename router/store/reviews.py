"""Reviews of calls in the store."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select

from router.domain.calls.review import Review
from router.store import tables
from router.store.direct import AnyConnection
from router.store.records import from_rows_by, to_row
from router.store.writing import add_absent

_call, _review = tables.call, tables.review


@dataclass(frozen=True, slots=True)
class SqlReviews:
    """The `Reviews` of `router.service.calls.review_ports`."""

    connection: AnyConnection

    async def of(self, call_ids: Sequence[str]) -> dict[str, Review]:
        """The reviews of these calls."""
        rows = await self.connection.execute(select(_review).where(_review.c.call_id.in_(call_ids)))
        return from_rows_by("call_id", Review, rows)

    async def add(self, reviews: Sequence[Review]) -> list[str]:
        """Store reviews of calls that exist and have none; returns the ids of these calls."""
        wanted = {review.call_id: review for review in reviews}
        known = await self.connection.execute(select(_call.c.id).where(_call.c.id.in_(wanted)))
        new = sorted(set(known.scalars()) - set(await self.of(list(wanted))))
        for call_id in new:
            await add_absent(self.connection, _review, to_row(wanted[call_id]))
        return new

    async def remove(self, call_ids: Sequence[str]) -> list[str]:
        """Remove the reviews of these calls; returns the ids of calls that had one."""
        reviewed = sorted(await self.of(call_ids))
        await self.connection.execute(delete(_review).where(_review.c.call_id.in_(reviewed)))
        return reviewed
