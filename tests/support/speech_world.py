"""A stored recording of two voices, a rule, and the worker's part that transcribes."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from recordings import SpoolPair, Storage, store_pair
from router.domain.calls.call import Call, Ending, Recording, RecordingState, State
from router.domain.calls.transcript import (
    Engine,
    Spoken,
    Transcript,
    TranscriptionRule,
    TranscriptState,
)
from router.service.calls.transcription_ports import Piece
from router.store.engine import SqlStore
from tests.support.builders import NOON, later
from tests.support.recordings_sounds import Sound, babble, spool_pair

KEY = "2026/11/22/c1.mp3"


def a_rule(id: str = "all", **fields: object) -> TranscriptionRule:  # noqa: A002
    base = {"engine": Engine.HTTP, "address": "https://speech.example", "model": "whisper-1"}
    whole = {"id": id, "language": "en", "created_at": NOON, **base, **fields}
    return TranscriptionRule(**whole)  # type: ignore[arg-type]


def ended_call(call_id: str = "c1", **fields: object) -> Call:
    base = {
        "did": "1",
        "trunk": "t",
        "arrived_at": NOON,
        "answered_at": later(1),
        "ended_at": later(61),
        "talk_seconds": 60.0,
        "state": State.ENDED,
        "ending": Ending.ANSWERED,
    }
    return Call(**{"id": call_id, **base, **fields})  # type: ignore[arg-type]


def stored(call_id: str = "c1", **fields: object) -> Recording:
    base = {
        "spool_name": call_id,
        "state": RecordingState.STORED,
        "expected_seconds": 5.0,
        "due_at": NOON,
        "key": KEY,
        "content_type": "audio/mpeg",
        "bytes": 1,
        "sha256": "a" * 64,
        "seconds": 5.0,
    }
    return Recording(**{"call_id": call_id, **base, **fields})  # type: ignore[arg-type]


def store_voices(
    home: Path, caller: Sound | None = None, company: Sound | None = None
) -> tuple[Storage, float]:
    """A storage with one recording, and its seconds."""
    spool = home / "spool"
    spool.mkdir()
    caller = babble(5) if caller is None else caller
    company = babble(5) if company is None else company
    pair: SpoolPair = spool_pair(spool, caller, company, "c1")
    storage = Storage.open(home / "recordings")
    made = store_pair(pair, storage=storage, key=KEY, work_dir=home / "work")
    return storage, made.seconds


async def put(store: SqlStore, *records: object, recording: Recording | None = None) -> None:
    """A call with its stored recording, a waiting transcript, and `records`."""
    async with store.write() as session:
        await session.add(*records)
        await session.calls.save([ended_call()])
        await session.recordings.save([recording or stored()])


async def transcript_of(store: SqlStore, call_id: str = "c1") -> Transcript | None:
    async with store.read() as session:
        return await session.peek(Transcript, call_id)


def asked(call_id: str = "c1", rule_id: str = "all", **fields: object) -> Transcript:
    base = {"state": TranscriptState.WAITING, "due_at": NOON, "created_at": NOON}
    whole = {"call_id": call_id, "rule_id": rule_id, **base, **fields}
    return Transcript(**whole)  # type: ignore[arg-type]


@dataclass
class Scripted:
    """An engine that says what a test gives it, or raises it."""

    answers: list[tuple[Spoken, ...] | Exception] = field(default_factory=list)
    heard: list[Piece] = field(default_factory=list)

    def name(self, rule: TranscriptionRule) -> str:
        return f"scripted · {rule.model}"

    async def hear(
        self, _: TranscriptionRule, pieces: Sequence[Piece]
    ) -> AsyncIterator[tuple[Spoken, ...]]:
        for piece in pieces:
            self.heard.append(piece)
            answer = self.answers.pop(0) if self.answers else ()
            if isinstance(answer, Exception):
                raise answer
            yield answer
