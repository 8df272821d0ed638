"""Training data of a site's model, and the model."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import bindparam, func, select, update

from router.domain.attribution.model import Model
from router.domain.attribution.population import Span
from router.domain.attribution.terms import Verdict
from router.domain.visitors.site import NumberKind
from router.store import tables
from router.store.direct import AnyConnection
from router.store.writing import upsert

_lease = tables.lease
_call, _number, _model = tables.call, tables.number, tables.model
_MODEL = TypeAdapter(Model)
_UNATTRIBUTED = (Verdict.UNKNOWN, Verdict.REPEAT)


@dataclass(frozen=True, slots=True)
class SqlTraining:
    """The `Training` of `router.service.calls.ports`."""

    connection: AnyConnection

    # The model

    async def model(self, site_id: str) -> tuple[Model, datetime] | None:
        """The site's model, and when it was trained."""
        row = (
            await self.connection.execute(select(_model).where(_model.c.site_id == site_id))
        ).first()
        if not row:
            return None
        return (_MODEL.validate_python(row._mapping["values"]), row.trained_at)

    async def save_model(self, site_id: str, model: Model, now: datetime) -> None:
        """Save the model, replacing the previous one."""
        values = _MODEL.dump_python(model, mode="json")
        row = {"site_id": site_id, "trained_at": now, "calls": model.calls, "values": values}
        await upsert(self.connection, _model, [row])

    async def lease_spans(self, site_id: str, since: datetime, until: datetime) -> list[Span]:
        """The site's leases that were begun in this time."""
        pools = select(tables.pool.c.id).where(tables.pool.c.site_id == site_id)
        query = select(_lease.c.started_at, _lease.c.seen_at, _lease.c.frozen_at).where(
            _lease.c.pool_id.in_(pools),
            _lease.c.started_at > since,
            _lease.c.started_at <= until,
            _lease.c.shown,
        )
        rows = await self.connection.execute(query)
        return [(row[0].timestamp(), row[1].timestamp(), row[2].timestamp()) for row in rows]

    async def count_calls(self, site_id: str, since: datetime) -> int:
        """How many calls the site has had since then."""
        query = select(func.count()).where(_call.c.site_id == site_id, _call.c.arrived_at > since)
        return int((await self.connection.execute(query)).scalar_one())

    async def mean_unattributed(self, site_id: str) -> float:
        """Mean number of unattributed calls of the site's dynamic numbers."""
        return float(
            (await self.connection.execute(_MEAN_UNATTRIBUTED, {"site": site_id})).scalar() or 0.0
        )

    async def count_unattributed(self, numbers: Sequence[str]) -> None:
        """Count one more unattributed call for each of these numbers."""
        if numbers:
            await self.connection.execute(_ONE_MORE, [{"e164_": number} for number in numbers])

    async def recount_unattributed(self, site_id: str, since: datetime) -> None:
        """Recount the unattributed calls since then, for each number of the site."""
        counted = (
            select(func.count())
            .where(
                _call.c.number == _number.c.e164,
                _call.c.arrived_at > since,
                _call.c.verdict.in_(_UNATTRIBUTED),
            )
            .scalar_subquery()
        )
        await self.connection.execute(
            update(_number).where(_number.c.site_id == site_id).values(unattributed_calls=counted)
        )


_MEAN_UNATTRIBUTED = select(func.avg(_number.c.unattributed_calls)).where(
    _number.c.site_id == bindparam("site"), _number.c.kind == NumberKind.DYNAMIC
)
_ONE_MORE = (
    update(_number)
    .where(_number.c.e164 == bindparam("e164_"))
    .values(unattributed_calls=_number.c.unattributed_calls + 1)
)
