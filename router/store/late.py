"""Late evidence in the store: a queue of looks at calls, one row for each subject."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from router.domain.attribution.late_evidence import LateEvidence
from router.store import tables
from router.store.direct import DirectConnection
from router.store.records import from_row, to_row

_late = tables.late_evidence
_DUE = (
    select(_late)
    .where(_late.c.due_at <= bindparam("now"))
    .order_by(_late.c.due_at, _late.c.id)
    .limit(bindparam("most"))
)
_FIRST = select(func.min(_late.c.due_at))
_DONE = delete(_late).where(_late.c.id == bindparam("id_"), _late.c.at == bindparam("at_"))


class LateEvidenceKept:
    """The part of a session that knows late evidence."""

    connection: AsyncConnection | DirectConnection

    if TYPE_CHECKING:

        async def _upsert(self, table: Any, rows: Sequence[dict[str, Any]]) -> None: ...

    async def queue_late(self, evidence: Sequence[LateEvidence]) -> None:
        """Owe these looks, each subject once."""
        await self._upsert(_late, [to_row(one) for one in evidence])

    async def late_due(self) -> datetime | None:
        """When the first look is due."""
        moment: datetime | None = (await self.connection.execute(_FIRST)).scalar()
        return moment

    async def due_late(self, now: datetime, most: int) -> list[LateEvidence]:
        """The looks that are due, the oldest first."""
        rows = await self.connection.execute(_DUE, {"now": now, "most": most})
        return [from_row(LateEvidence, row) for row in rows]

    async def finish_late(self, looked: LateEvidence) -> None:
        """Forget a look that was taken, unless more of its subject came meanwhile."""
        await self.connection.execute(_DONE, {"id_": looked.id, "at_": looked.at})
