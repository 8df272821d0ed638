"""Stores the audio of finished calls: claims due recordings, runs the recorder, saves the
result.
"""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from router.domain.backoff import backoff
from router.domain.calls.call import Call, Direction, Ending, Recording, RecordingState, State
from router.domain.calls.periods import lengthened
from router.domain.delivery.codes import SendingCode
from router.domain.delivery.delivery import Delivery, DeliveryKind, Webhook, new_delivery
from router.domain.delivery.outcome import Outcome
from router.domain.delivery.payload import recording_body
from router.domain.ids import new_id
from router.errors import DatabaseUnavailable, Unavailable
from router.service.calls.transcription import enqueue as enqueue_transcript
from router.service.clock import Clock
from router.service.delivery.outbox import recording_deliveries
from router.service.ports import Session, Store
from router.service.settling import keep_at_it

log = structlog.get_logger()

AT_ONCE = 2  # concurrent encodings; ffmpeg uses a whole core
# claims of a dead worker expire after this
CLAIM = timedelta(minutes=15)
SETTLE = timedelta(seconds=0.3)  # Asterisk closes the files a moment after the end event
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=2), timedelta(minutes=10)


class StillWriting(Unavailable):
    """Asterisk is still writing this recording."""


class RecorderBusy(Unavailable):
    """The recorder cannot finish now; it will be retried."""

    def __init__(self, reason: Outcome) -> None:
        super().__init__(str(reason))
        self.reason = reason


class Recorder(Protocol):
    """Makes a recording of a spool pair."""

    async def store(self, recording: Recording, call: Call) -> Recording:
        """Encode, measure and store. The result's state is stored, missing or broken. Raises
        `StillWriting` and `RecorderBusy` (with its reason) if it should be retried.
        """
        ...

    async def discard(self, recording: Recording) -> bool:
        """Remove the spool pair of an unanswered call; False if it contains a conversation."""
        ...


async def take_up(store: Store, clock: Clock) -> None:
    """At the worker's start: recordings claimed by a dead worker are due at once; those of a live
    one are locked.
    """
    async with store.write() as session:
        waiting = await session.find(Recording, state=RecordingState.WAITING)
        await session.recordings.save([replace(recording, due_at=clock()) for recording in waiting])


async def store_due(
    store: Store, recorder: Recorder, clock: Clock, *, at_once: int = AT_ONCE
) -> int:
    """Process the recordings that are due; returns their number."""
    async with store.write() as session:
        due = await session.recordings.due(clock(), at_once)
        calls = await session.get_many(Call, {recording.call_id for recording in due})
        await session.recordings.save(
            [replace(recording, due_at=clock() + CLAIM) for recording in due]
        )
    async with asyncio.TaskGroup() as tasks:
        for recording in due:
            tasks.create_task(_work(store, recorder, clock, recording, calls[recording.call_id]))
    return len(due)


async def _work(
    store: Store,
    recorder: Recorder,
    clock: Clock,
    recording: Recording,
    call: Call,
) -> None:
    try:
        done = await _attempt(recorder, recording, call)
    except StillWriting:
        done = replace(recording, due_at=clock() + SETTLE)
    except RecorderBusy as error:
        done = _postponed(recording, error.reason, clock())
    except DatabaseUnavailable:
        raise
    except Exception as error:
        # a bug stops this one, not its lane
        log.exception("recording_broke", linkedid=call.id)
        fault = Outcome.of(SendingCode.INTERNAL_ERROR, detail=repr(error)[:300])
        done = _postponed(recording, fault, clock())
    if done.state is RecordingState.STORED:
        done = replace(done, stored_at=clock(), reason=None)
    try:
        await keep_at_it(lambda: _settle(store, clock, recording, call, done))
    except DatabaseUnavailable as error:  # the claim expires; the file is already stored
        log.warning("recording_not_settled", linkedid=call.id, reason=error.message)


def _postponed(recording: Recording, reason: Outcome, now: datetime) -> Recording:
    pause = backoff(recording.attempts + 1, FIRST_PAUSE, LONGEST_PAUSE)
    log.warning(
        "recording_postponed",
        linkedid=recording.call_id,
        reason=str(reason),
        seconds=pause.total_seconds(),
    )
    return replace(recording, attempts=recording.attempts + 1, due_at=now + pause, reason=reason)


async def _settle(
    store: Store, clock: Clock, recording: Recording, call: Call, done: Recording
) -> None:
    async with store.write() as session:
        before = await session.peek(Recording, recording.call_id)
        if before is not None and before.state is not RecordingState.WAITING:
            return  # another worker finished it
        await session.recordings.save([done])
        if done.state is not RecordingState.WAITING:
            await session.calls.touch(call.id)
            call = await session.get(Call, call.id)
            if (corrected := _corrected(call, done)) != call:
                await session.calls.save([corrected])
            await session.deliveries.add(await _deliveries(session, call, done, clock()))
        if done.state is RecordingState.STORED:
            await enqueue_transcript(session, call, clock())
    if done.state is not RecordingState.WAITING:
        log.info(
            "recording_done",
            linkedid=call.id,
            state=done.state,
            seconds=done.seconds,
            reason=done.reason and str(done.reason),
        )


def _corrected(call: Call, recording: Recording) -> Call:
    """The call with its real length: if Asterisk died, only the recording shows it."""
    if call.ending is not Ending.CUT or call.answered_at is None or recording.seconds is None:
        return call
    return lengthened(call, call.answered_at + timedelta(seconds=recording.seconds))


async def _attempt(recorder: Recorder, recording: Recording, call: Call) -> Recording:
    if call.state is State.ENDED and call.answered_at is None and await recorder.discard(recording):
        return replace(recording, state=RecordingState.DISCARDED)
    return await recorder.store(recording, call)


async def _deliveries(
    session: Session, call: Call, recording: Recording, now: datetime
) -> list[Delivery]:
    if call.direction is Direction.OUTGOING:
        return []
    to_crms = await recording_deliveries(session, call, recording, now)
    if recording.state is not RecordingState.STORED:
        return to_crms
    body = recording_body(call, recording)
    return to_crms + [
        new_delivery(webhook, DeliveryKind.RECORDING_READY, call.id, body, id=new_id(now), now=now)
        for webhook in await session.find(Webhook, active=True)
        if webhook.site_id in {None, call.site_id}
    ]
