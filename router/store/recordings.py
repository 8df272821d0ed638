"""Recordings in the store."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, select

from router.domain.calls.call import Recording, RecordingState
from router.store import tables
from router.store.direct import AnyConnection
from router.store.due import due_rows, next_due
from router.store.records import batched, from_rows, from_rows_by, to_rows
from router.store.writing import upsert

AT_ONCE = 1000  # keys of one query
_recording, _transcript = tables.recording, tables.transcript


@dataclass(frozen=True, slots=True)
class SqlRecordings:
    """The `Recordings` of `router.service.calls.ports`."""

    connection: AnyConnection

    async def of(self, call_ids: Collection[str]) -> dict[str, Recording]:
        """The recordings of these calls, without their waveforms and spans: those are ten times as
        long as all the rest.
        """
        rows = await self.connection.execute(_SHORT, {"calls": list(call_ids)})
        return from_rows_by("call_id", Recording, rows)

    async def sizes(self, call_ids: Collection[str]) -> dict[str, int]:
        """The bytes of the recordings of these calls."""
        sizes: dict[str, int] = {}
        for some in batched(call_ids, AT_ONCE):
            for call_id, size in await self.connection.execute(_SIZES, {"calls": some}):
                sizes[call_id] = size or 0
        return sizes

    async def save(self, recordings: Sequence[Recording]) -> None:
        """Write recordings as they are now. The transcript of audio that is not kept goes with
        it.
        """
        await upsert(self.connection, _recording, to_rows(recordings))
        gone = []
        for recording in recordings:
            if recording.state not in _WITH_TRANSCRIPT:
                gone.append(recording.call_id)

        if gone:
            await self.connection.execute(_ERASING, {"calls": gone})

    async def due(self, now: datetime, limit: int) -> list[Recording]:
        """Recordings the worker should look at."""
        query = due_rows(_recording, RecordingState.WAITING)
        rows = await self.connection.execute(query, {"now": now, "most": limit})
        return from_rows(Recording, rows)

    async def next_due(self) -> datetime | None:
        """When the next recording is due."""
        return await next_due(self.connection, _recording, RecordingState.WAITING)


_WITH_TRANSCRIPT = {RecordingState.WAITING, RecordingState.STORED}
_ERASING = delete(_transcript).where(_transcript.c.call_id.in_(bindparam("calls", expanding=True)))
_LONG = {"peaks", "spans"}
_SHORT = select(*(column for column in _recording.c if column.name not in _LONG)).where(
    _recording.c.call_id.in_(bindparam("calls", expanding=True))
)
_SIZES = select(_recording.c.call_id, _recording.c.bytes).where(
    _recording.c.call_id.in_(bindparam("calls", expanding=True))
)
