"""Late evidence in the store: a queue of jobs, one row for each subject."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, func, select

from router.domain.attribution.late_evidence import LateEvidence
from router.store import tables
from router.store.direct import AnyConnection
from router.store.records import from_rows, to_rows
from router.store.writing import upsert

_late = tables.late_evidence
_DUE = (
    select(_late)
    .where(_late.c.due_at <= bindparam("now"))
    .order_by(_late.c.due_at, _late.c.id)
    .limit(bindparam("most"))
)
_FIRST = select(func.min(_late.c.due_at))
_DONE = delete(_late).where(_late.c.id == bindparam("id_"), _late.c.at == bindparam("at_"))


@dataclass(frozen=True, slots=True)
class SqlLateEvidence:
    """The `LateEvidenceQueue` of `router.service.calls.ports`."""

    connection: AnyConnection

    async def add(self, evidence: Sequence[LateEvidence]) -> None:
        """Queue these jobs, each subject once."""
        await upsert(self.connection, _late, to_rows(evidence))

    async def next_due(self) -> datetime | None:
        """When the first job is due."""
        moment: datetime | None = (await self.connection.execute(_FIRST)).scalar()
        return moment

    async def due(self, now: datetime, most: int) -> list[LateEvidence]:
        """Due jobs, oldest first."""
        rows = await self.connection.execute(_DUE, {"now": now, "most": most})
        return from_rows(LateEvidence, rows)

    async def finish(self, looked: LateEvidence) -> None:
        """Delete a finished job, unless more evidence came meanwhile."""
        await self.connection.execute(_DONE, {"id_": looked.id, "at_": looked.at})
