"""Transcripts in the store."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update

from router.domain.calls.stems import search_stems
from router.domain.calls.transcript import Segment, Transcript, TranscriptState
from router.store import said, tables
from router.store.direct import AnyConnection
from router.store.records import from_any_row, from_rows, to_row, to_rows
from router.store.writing import upsert

_transcript, _segment = tables.transcript, tables.transcript_segment
_text, _call = tables.transcript_text, tables.call
_WAITING = _transcript.c.state == TranscriptState.WAITING


@dataclass(frozen=True, slots=True)
class SqlTranscripts:
    """The `Transcripts` of `router.service.calls.transcription_ports`."""

    connection: AnyConnection

    async def segments(self, call_id: str) -> list[Segment]:
        """The lines of a call, in the order of time."""
        query = select(_segment).where(_segment.c.call_id == call_id).order_by(_segment.c.place)
        return from_rows(Segment, await self.connection.execute(query))

    async def segment(self, call_id: str, place: int) -> Segment | None:
        """One line."""
        query = select(_segment).where(_segment.c.call_id == call_id, _segment.c.place == place)
        row = (await self.connection.execute(query)).first()
        return from_any_row(Segment, row)

    async def saying_any(
        self, phrases: Sequence[Sequence[str]], site_id: str | None, most: int
    ) -> list[str]:
        """The calls that were transcribed last and hold all stems of one of these phrases."""
        sqlite = self.connection.dialect.name == "sqlite"
        query = (
            select(_text.c.call_id)
            .where(said.texts_of_any(phrases, sqlite=sqlite))
            .order_by(_text.c.id.desc())
            .limit(most)
        )
        if site_id is not None:
            query = query.join(_call, _call.c.id == _text.c.call_id)
            query = query.where(_call.c.site_id == site_id)
        return list((await self.connection.execute(query)).scalars())

    async def save(self, *transcripts: Transcript) -> None:
        """Write transcripts as they are now."""
        await upsert(self.connection, _transcript, to_rows(transcripts))

    async def note_progress(self, call_id: str, progress: float) -> None:
        """How much of a call has been heard, 0…1."""
        await self.connection.execute(
            update(_transcript)
            .where(_transcript.c.call_id == call_id, _WAITING)
            .values(progress=progress)
        )

    async def save_segments(self, call_id: str, segments: Sequence[Segment]) -> None:
        """Replace the lines of a call."""
        await self.connection.execute(delete(_segment).where(_segment.c.call_id == call_id))
        await upsert(self.connection, _segment, to_rows(segments))
        await self._write_text(call_id, segments)

    async def change_segment(self, segment: Segment) -> None:
        """Write one line as it is now."""
        await upsert(self.connection, _segment, [to_row(segment)])
        await self._write_text(segment.call_id, await self.segments(segment.call_id))

    async def _write_text(self, call_id: str, segments: Sequence[Segment]) -> None:
        """Write what searches find the call by."""
        text = search_stems(segment.text for segment in segments)
        done = await self.connection.execute(
            update(_text).where(_text.c.call_id == call_id).values(text=text)
        )
        if not done.rowcount:
            await self.connection.execute(insert(_text).values(call_id=call_id, text=text))

    async def remove(self, call_ids: Collection[str]) -> None:
        """Erase the transcripts of these calls with their lines."""
        await self.connection.execute(
            delete(_transcript).where(_transcript.c.call_id.in_(list(call_ids)))
        )

    async def due(self, rule_id: str, now: datetime) -> Transcript | None:
        """The next transcript that a rule is due for; locked until the transaction ends."""
        query = (
            select(_transcript)
            .where(_WAITING, _transcript.c.rule_id == rule_id, _transcript.c.due_at <= now)
            .order_by(_transcript.c.due_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        row = (await self.connection.execute(query)).first()
        return from_any_row(Transcript, row)

    async def rules_due(self) -> dict[str, datetime]:
        """When the next transcript of each rule is due."""
        due = func.min(_transcript.c.due_at, type_=_transcript.c.due_at.type).label("due_at")
        query = select(_transcript.c.rule_id, due).where(_WAITING).group_by(_transcript.c.rule_id)
        rows = await self.connection.execute(query)
        return {row.rule_id: row.due_at for row in rows}

    async def waiting(self) -> list[Transcript]:
        """Transcripts that are not finished, the first due first."""
        query = select(_transcript).where(_WAITING).order_by(_transcript.c.due_at)
        return from_rows(Transcript, await self.connection.execute(query))

    async def counts(self) -> Mapping[tuple[str, TranscriptState], int]:
        """How many transcripts of each rule are in each state."""
        query = select(_transcript.c.rule_id, _transcript.c.state, func.count()).group_by(
            _transcript.c.rule_id, _transcript.c.state
        )
        rows = await self.connection.execute(query)
        return {(rule_id, TranscriptState(state)): number for rule_id, state, number in rows}
