"""Transcribes stored recordings: claims what is due, has both sides heard, saves the text. One call
of a rule at a time, because most servers take one request at a time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import structlog

from router.domain.backoff import backoff
from router.domain.calls.call import Call, Recording, RecordingState
from router.domain.calls.call_query import CallQuery
from router.domain.calls.transcript import (
    Engine,
    Spoken,
    Transcript,
    TranscriptionRule,
    TranscriptState,
    in_order,
)
from router.domain.calls.transcript_codes import TranscriptCode
from router.domain.delivery.outcome import Outcome
from router.errors import DatabaseUnavailable
from router.service.calls.transcription_ports import Engines, Piece, Sides
from router.service.calls.word_lists import tag_words
from router.service.clock import Clock
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from router.service.ports import Session, Store
from router.service.settling import keep_at_it

log = structlog.get_logger()

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
GIVEN_UP = timedelta(days=3)  # after a transcript was asked for
CLAIM_FACTOR = 10  # times the recording's length, before a claim of a dead worker expires
CLAIM = timedelta(minutes=30)


async def wanted_by(session: Session, call: Call, now: datetime) -> TranscriptionRule | None:
    """The first active rule that matches this call."""
    for rule in await session.find(TranscriptionRule, active=True):
        if call.talk_seconds < rule.least_talk_seconds:
            continue
        wanted = CallQuery.read(parse_qsl(rule.calls)).wanted(UTC, now.date())
        if wanted.is_empty or await session.calls.matching([call.id], wanted):
            return rule
    return None


async def enqueue(session: Session, call: Call, now: datetime) -> None:
    """Have the stored recording of this call transcribed if a rule wants it."""
    rule = await wanted_by(session, call, now)
    if rule is None or await session.peek(Transcript, call.id) is not None:
        return
    await session.transcripts.save(waiting(call.id, rule, now))


def waiting(call_id: str, rule: TranscriptionRule, now: datetime) -> Transcript:
    """A transcript that the worker makes next."""
    return Transcript(
        call_id=call_id,
        rule_id=rule.id,
        state=TranscriptState.WAITING,
        due_at=now,
        created_at=now,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcription:
    """The worker's part."""

    store: Store
    engines: Mapping[Engine, Engines]
    sides: Sides
    clock: Clock

    async def take_up(self) -> None:
        """At the worker's start: what a dead worker had claimed is due at once."""
        now = self.clock()
        async with self.store.write() as session:
            claimed = []
            for transcript in await session.transcripts.waiting():
                if transcript.due_at > now:
                    claimed.append(transcript)

            await session.transcripts.save(
                *(replace(transcript, due_at=now) for transcript in claimed)
            )

    async def work(self, rule_id: str) -> int:
        """Transcribe the next call of this rule; returns how many were due: 0 or 1."""
        async with self.store.write() as session:
            due = await session.transcripts.due(rule_id, self.clock())
            if due is None:
                return 0
            rule = await session.peek(TranscriptionRule, rule_id)
            recording = await session.peek(Recording, due.call_id)
            length = timedelta(0)
            if recording and recording.seconds:
                length = timedelta(seconds=recording.seconds)

            claimed = replace(due, due_at=self.clock() + CLAIM + CLAIM_FACTOR * length, progress=0)
            await session.transcripts.save(claimed)

        done, spoken = await self._attempt(due, rule, recording)
        try:
            await keep_at_it(lambda: self._settle(done, spoken))
        except DatabaseUnavailable as error:  # the claim expires, and the call is heard once more
            log.warning("transcript_not_saved", linkedid=due.call_id, reason=error.message)
        return 1

    async def _attempt(
        self, due: Transcript, rule: TranscriptionRule | None, recording: Recording | None
    ) -> tuple[Transcript, Sequence[Spoken]]:
        try:
            spoken = await self._heard(due, rule, recording)
        except Refused as error:
            return self._failed(due, error.outcome), ()
        except ReceiverUnavailable as error:
            return self._postponed(due, error.outcome, error.pause), ()
        except DatabaseUnavailable:
            raise
        except Exception as error:
            # a bug stops this one, not its lane
            log.exception("transcription_broke", linkedid=due.call_id)
            said = Outcome.of(TranscriptCode.FAULT, detail=repr(error))
            return self._postponed(due, said, timedelta()), ()
        assert rule is not None
        done = replace(
            due,
            state=TranscriptState.DONE,
            progress=1.0,
            outcome=None,
            engine=self.engines[rule.engine].name(rule),
            language=rule.language,
            done_at=self.clock(),
        )
        return done, spoken

    async def _heard(
        self, due: Transcript, rule: TranscriptionRule | None, recording: Recording | None
    ) -> list[Spoken]:
        if rule is None:
            raise Refused(TranscriptCode.RULE_REMOVED, rule=due.rule_id)
        if recording is None or recording.state is not RecordingState.STORED:
            raise Refused(TranscriptCode.NO_RECORDING)
        async with self.sides.open(recording) as pieces:
            return await self._hear_pieces(due, rule, pieces)

    async def _hear_pieces(
        self, due: Transcript, rule: TranscriptionRule, pieces: Sequence[Piece]
    ) -> list[Spoken]:
        total = sum(piece.seconds for piece in pieces) or 1.0
        spoken: list[Spoken] = []
        heard, place = 0.0, 0
        async for lines in self.engines[rule.engine].hear(rule, pieces):
            piece = pieces[place]
            spoken += [line.later(piece.start) for line in lines]
            heard, place = heard + piece.seconds, place + 1
            async with self.store.write() as session:
                await session.transcripts.note_progress(due.call_id, heard / total)
        return spoken

    def _failed(self, due: Transcript, said: Outcome) -> Transcript:
        return replace(
            due,
            state=TranscriptState.FAILED,
            attempts=due.attempts + 1,
            outcome=said,
            done_at=self.clock(),
        )

    def _postponed(self, due: Transcript, said: Outcome, pause: timedelta) -> Transcript:
        now = self.clock()
        if now - due.created_at > GIVEN_UP:
            return self._failed(due, said)
        pause = max(pause, backoff(due.attempts + 1, FIRST_PAUSE, LONGEST_PAUSE))
        return replace(due, attempts=due.attempts + 1, due_at=now + pause, outcome=said)

    async def _settle(self, done: Transcript, spoken: Sequence[Spoken]) -> None:
        async with self.store.write() as session:
            before = await session.peek(Transcript, done.call_id)
            if before is None or before.state is not TranscriptState.WAITING:
                return  # it was erased with its recording, or another worker finished it
            await session.transcripts.save(done)
            if done.state is TranscriptState.DONE:
                segments = in_order(done.call_id, spoken)
                await session.transcripts.save_segments(done.call_id, segments)
                call = await session.get(Call, done.call_id)
                await tag_words(session, call.id, call.site_id, segments, self.clock())
            if done.state is not TranscriptState.WAITING:
                await session.calls.touch(done.call_id)
        log.info(
            "transcript_attempted",
            linkedid=done.call_id,
            state=done.state,
            outcome=str(done.outcome or ""),
        )
