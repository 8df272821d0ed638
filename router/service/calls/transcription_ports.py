"""Ports of transcription: the store's transcripts, the audio of a side, and the engine."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from router.domain.calls.call import Recording
from router.domain.calls.transcript import (
    Segment,
    Side,
    Spoken,
    Transcript,
    TranscriptionRule,
    TranscriptState,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Compressed audio of one side, or of a part of it."""

    path: Path
    side: Side
    start: float  # seconds from the beginning of the recording
    seconds: float


class Engines(Protocol):
    """Speech to text."""

    def hear(
        self, rule: TranscriptionRule, pieces: Sequence[Piece]
    ) -> AsyncIterator[tuple[Spoken, ...]]:
        """What is said in each piece, in their order, by the times of the piece.

        Raises `ReceiverUnavailable` if trying again may help, `Refused` if it cannot.
        """
        ...

    def name(self, rule: TranscriptionRule) -> str:
        """Who hears the call: a host and its model, or the local model."""
        ...


class Sides(Protocol):
    """Audio of each side of a stored recording."""

    def open(self, recording: Recording) -> AbstractAsyncContextManager[Sequence[Piece]]:
        """The pieces of both sides as files that exist inside the block; the caller's first.

        Raises `ReceiverUnavailable` and `Refused`.
        """
        ...


class Transcripts(Protocol):
    """Transcripts of calls, and which are due for the worker."""

    async def segments(self, call_id: str) -> list[Segment]: ...
    async def saying_any(
        self, phrases: Sequence[Sequence[str]], site_id: str | None, most: int
    ) -> list[str]: ...
    async def segment(self, call_id: str, place: int) -> Segment | None: ...
    async def save(self, *transcripts: Transcript) -> None: ...
    async def note_progress(self, call_id: str, progress: float) -> None: ...
    async def save_segments(self, call_id: str, segments: Sequence[Segment]) -> None: ...
    async def change_segment(self, segment: Segment) -> None: ...
    async def remove(self, call_ids: Collection[str]) -> None: ...
    async def due(self, rule_id: str, now: datetime) -> Transcript | None: ...
    async def rules_due(self) -> dict[str, datetime]: ...
    async def waiting(self) -> list[Transcript]: ...
    async def counts(self) -> Mapping[tuple[str, TranscriptState], int]: ...
