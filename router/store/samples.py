"""Samples of calls in the store."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, delete, func, insert, select

from router.domain.calls.sampling import Drawable, Drawn, Progress, Sample
from router.store import tables
from router.store.direct import AnyConnection
from router.store.records import from_row, to_row

_sample, _drawn, _review = tables.sample, tables.sample_call, tables.review
_call, _facet = tables.call, tables.call_facet
_PROGRESS: Select[Any] = (
    select(
        _sample,
        func.count(_drawn.c.call_id).label("calls"),
        func.count(_review.c.call_id).label("reviewed"),
    )
    .outerjoin(_drawn, _drawn.c.sample_id == _sample.c.id)
    .outerjoin(_review, _review.c.call_id == _drawn.c.call_id)
    .group_by(_sample.c.id)
    .order_by(_sample.c.id.desc())
)
_DRAWN = select(_drawn.c.call_id, _drawn.c.employee, _drawn.c.week).order_by(_drawn.c.position)


@dataclass(frozen=True, slots=True)
class SqlSamples:
    """The `Samples` of `router.service.calls.review_ports`."""

    connection: AnyConnection

    async def all(self, limit: int) -> list[Progress]:
        """The newest samples."""
        rows = await self.connection.execute(_PROGRESS.limit(limit))
        return [_progress(row) for row in rows]

    async def find(self, sample_id: str) -> Progress | None:
        """One sample."""
        rows = await self.connection.execute(_PROGRESS.where(_sample.c.id == sample_id))
        row = rows.first()
        if not row:
            return None
        return _progress(row)

    async def calls_of(self, sample_id: str) -> list[Drawn]:
        """The calls of a sample, in their order."""
        rows = await self.connection.execute(_DRAWN.where(_drawn.c.sample_id == sample_id))
        return [Drawn(call_id=row.call_id, employee=row.employee, week=row.week) for row in rows]

    async def drawable(self, call_ids: Sequence[str]) -> list[Drawable]:
        """Those of these calls that an employee answered."""
        query = select(
            _facet.c.call_id,
            _facet.c.arrived_at,
            func.coalesce(func.nullif(_facet.c.last_answered_by, ""), _facet.c.answered_by).label(
                "employee"
            ),
        ).where(_facet.c.call_id.in_(call_ids), _facet.c.answered_by != "")
        rows = await self.connection.execute(query)
        drawable = []
        for row in rows:
            drawable.append(
                Drawable(call_id=row.call_id, arrived_at=row.arrived_at, employee=row.employee)
            )
        return drawable

    async def add(self, sample: Sample, drawn: Sequence[Drawn]) -> None:
        """Store a sample with those of its calls that are still there."""
        await self.connection.execute(insert(_sample).values(to_row(sample)))
        known = await self.connection.execute(
            select(_call.c.id).where(_call.c.id.in_([call.call_id for call in drawn]))
        )
        present = set(known.scalars())
        rows = []
        for position, call in enumerate(drawn):
            if call.call_id in present:
                rows.append(
                    {
                        "sample_id": sample.id,
                        "call_id": call.call_id,
                        "position": position,
                        "employee": call.employee,
                        "week": call.week,
                    }
                )

        if rows:
            await self.connection.execute(insert(_drawn), rows)

    async def remove(self, sample_id: str) -> None:
        """Remove a sample; its calls stay reviewed."""
        await self.connection.execute(delete(_drawn).where(_drawn.c.sample_id == sample_id))
        await self.connection.execute(delete(_sample).where(_sample.c.id == sample_id))


def _progress(row: Any) -> Progress:
    return Progress(sample=from_row(Sample, row), calls=row.calls, reviewed=row.reviewed)
