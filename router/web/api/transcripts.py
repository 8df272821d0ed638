"""Transcripts of calls: read, ordered, corrected."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from router.domain.access import Scope, Token
from router.errors import Conflict, InvalidInput, NotAllowed, NotFound
from router.service.calls.transcripts import correct_segment, get_transcript, order_transcripts
from router.web.api.calls import CallId
from router.web.api.models.transcripts import Correction, Segment, Transcript
from router.web.deps import NotLoggedIn, Now, StoreOf, needs
from router.web.error_handlers import answers

router = APIRouter(
    prefix="/calls/{call_id}/transcript",
    tags=["transcripts"],
    responses=answers(NotFound, Conflict, InvalidInput, NotLoggedIn, NotAllowed),
)
Writer = Annotated[Token, Depends(needs(Scope.CALLS_WRITE))]
Place = Annotated[int, Path(ge=0, le=1_000_000, description="The line's place, from 0.")]


@router.get("", dependencies=[Depends(needs(Scope.CALLS_READ))])
async def transcript(store: StoreOf, call_id: CallId) -> Transcript:
    """What was said in the call."""
    return Transcript.of_view(await get_transcript(store, call_id))


@router.post("", status_code=202)
async def order(store: StoreOf, now: Now, _: Writer, call_id: CallId) -> Transcript:
    """Transcribe the call, even if no rule selects it; a failed transcript is tried again."""
    await order_transcripts(store, [call_id], now)
    return Transcript.of_view(await get_transcript(store, call_id))


@router.put("/{place}")
async def correct(
    store: StoreOf, now: Now, token: Writer, call_id: CallId, place: Place, said: Correction
) -> Segment:
    """Correct a line. Send the engine's own text to undo it."""
    author = token.name
    line = await correct_segment(store, call_id, place, said.text, author=author, now=now)
    return Segment.of_line(line)
