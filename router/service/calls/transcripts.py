"""Showing, correcting and ordering transcripts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from router.domain.calls.call import Call, Recording, RecordingState
from router.domain.calls.heard_codes import possible_codes
from router.domain.calls.transcript import (
    Segment,
    Transcript,
    TranscriptionRule,
    TranscriptState,
    corrected,
)
from router.domain.visitors.site import Site
from router.errors import Conflict, InvalidInput, NotFound
from router.service.calls.reattribution import checked_code
from router.service.calls.transcription import waiting, wanted_by
from router.service.calls.word_lists import tag_words
from router.service.ports import Session, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptView:
    """A transcript with its lines."""

    transcript: Transcript | None
    segments: tuple[Segment, ...] = ()
    possible: bool = False  # whether a rule could transcribe the call
    codes: tuple[str, ...] = ()  # promo codes that were said, and are not set


async def show_transcript(store: Store, call_id: str) -> TranscriptView:
    """What was said in a call, as far as it is known."""
    async with store.read() as session:
        transcript = await session.peek(Transcript, call_id)
        segments, codes = list[Segment](), tuple[str, ...]()
        if transcript:
            segments = await session.transcripts.segments(call_id)
        if segments:
            codes = await _heard_codes(session, call_id, segments)
        rules = await session.find(TranscriptionRule, active=True)
    return TranscriptView(
        transcript=transcript, segments=tuple(segments), possible=bool(rules), codes=codes
    )


async def _heard_codes(
    session: Session, call_id: str, segments: Sequence[Segment]
) -> tuple[str, ...]:
    """The promo codes that a page of the call's site showed before the call."""
    call = await session.get(Call, call_id)
    site = await session.peek(Site, call.site_id)
    if site is None:
        return ()
    shown = []
    for code in possible_codes(segments):
        try:
            shown.append(await checked_code(session, call, site, code))
        except InvalidInput:
            continue
    return tuple(code for code in shown if code != call.code)


async def get_transcript(store: Store, call_id: str) -> TranscriptView:
    """A transcript that was asked for. Raises `NotFound`."""
    view = await show_transcript(store, call_id)
    if view.transcript is None:
        raise NotFound("There is no transcript of this call.")
    return view


async def correct_segment(
    store: Store, call_id: str, place: int, text: str, *, author: str, now: datetime
) -> Segment:
    """Correct a line by hand. Raises `NotFound` and `InvalidInput`."""
    async with store.write() as session:
        segment = await session.transcripts.segment(call_id, place)
        if segment is None:
            raise NotFound("There is no such line in the transcript of this call.")
        changed = corrected(segment, text, author=author, now=now)
        if changed != segment:
            await session.transcripts.change_segment(changed)
            call = await session.get(Call, call_id)
            await tag_words(session, call_id, call.site_id, [changed], now)
            await session.calls.touch(call_id)
    return changed


async def order_transcripts(store: Store, call_ids: Sequence[str], now: datetime) -> int:
    """Have these calls transcribed, even if no rule wants them; a failed one is tried again, a
    finished one stays. Returns how many will be made. Raises `NotFound`, and `Conflict` if that is
    impossible.
    """
    ordered = 0
    for call_id in call_ids:
        async with store.write() as session:
            ordered += await _order(session, call_id, now)
    return ordered


async def _order(session: Session, call_id: str, now: datetime) -> bool:
    call = await session.get(Call, call_id)
    recording = await session.peek(Recording, call_id)
    if recording is None or recording.state is not RecordingState.STORED:
        raise Conflict(f"The call {call_id} has no stored recording.")
    before = await session.peek(Transcript, call_id)
    if before is not None and before.state is not TranscriptState.FAILED:
        return False
    rules = await session.find(TranscriptionRule, active=True)
    if not rules:
        raise Conflict("Transcription is off: add a rule with `ringtrace transcript add`.")
    rule = await wanted_by(session, call, now) or rules[0]
    await session.transcripts.save(waiting(call_id, rule, now))
    await session.calls.touch(call_id)
    return True
