"""Recordings, whole or in ranges, and their waveforms."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from router.domain.calls.call import Call, Recording, RecordingState
from router.domain.calls.recording_link import ENDINGS
from router.errors import NotAllowed, NotFound
from router.service.calls.browse import show_call
from router.service.calls.marks import list_marks
from router.service.calls.ports import DownloadFormat, HeardSide
from router.service.ports import Store
from router.web.api.calls import CallId
from router.web.api.models.recordings import Mark, Marks, Peaks
from router.web.deps import AppState, AppStateOf, NotLoggedIn, StoreOf, listener, no_employee
from router.web.error_handlers import answers
from router.web.ranges import Part, Unsatisfiable, read_range

router = APIRouter(
    prefix="/calls/{call_id}",
    tags=["recordings"],
    dependencies=[Depends(listener)],
    responses=answers(NotFound, NotLoggedIn, NotAllowed),
)


@router.get(
    "/recording",
    response_class=StreamingResponse,
    responses={
        200: {
            "content": {"audio/mpeg": {}, "audio/ogg": {}, "audio/wav": {}},
            "description": "all of it",
        },
        206: {"description": "the requested part"},
        304: {"description": "unchanged"},
        416: {"description": "the requested part is beyond the end"},
    },
)
@router.head("/recording", include_in_schema=False)
async def recording(
    request: Request,
    app_state: AppStateOf,
    call_id: CallId,
    wanted: Annotated[str | None, Header(alias="range", description="The requested part.")] = None,
    if_range: Annotated[
        str | None, Header(description="Send the part only if the ETag is still this one.")
    ] = None,
    if_none_match: Annotated[str | None, Header(description="An ETag that you have.")] = None,
    to: Annotated[
        DownloadFormat | None,
        Query(alias="format", description="Convert it; default: as stored, or MP3 for one side."),
    ] = None,
    side: Annotated[HeardSide | None, Query(description="Only this side.")] = None,
) -> Response:
    """The audio: caller on the left, company on the right. Converted audio has no ranges."""
    call, found = await _stored(app_state.web.store, call_id)
    if side is not None or (to is not None and _ending(found) != to):
        return await _converted(request, app_state, call, found, to, side)
    asked = Asked(wanted=wanted, if_range=if_range, if_none_match=if_none_match)
    return await served(request, app_state, call, found, asked, "private, no-cache")


@router.get("/peaks")
async def peaks(store: StoreOf, call_id: CallId) -> Peaks:
    """The waveform."""
    await _stored(store, call_id)
    async with store.read() as session:
        found = await session.get(Recording, call_id)  # separate from the call, because it is large
    caller, company = (*found.peaks, (), ())[:2]
    silences = None
    if found.spans:
        silences = found.spans.silences

    return Peaks(seconds=found.seconds, caller=caller, company=company, silences=silences)


@router.get("/marks", dependencies=[Depends(no_employee)])
async def marks(store: StoreOf, call_id: CallId) -> Marks:
    """What happens in the recording: answer, holds, transfers, long silences, talk-over."""
    found = await list_marks(store, call_id)
    return Marks(marks=tuple(Mark.of(mark) for mark in found))


async def _stored(store: Store, call_id: str) -> tuple[Call, Recording]:
    view = await show_call(store, call_id)
    if view.recording is None or view.recording.state is not RecordingState.STORED:
        raise NotFound("There is no recording of this call to hear.")
    return view.call, view.recording


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which part of a recording is wanted, and what the player has already."""

    wanted: str | None = None
    if_range: str | None = None
    if_none_match: str | None = None


async def served(
    request: Request, app_state: AppState, call: Call, found: Recording, asked: Asked, cache: str
) -> Response:
    """The audio, whole or in part."""
    total, tag = found.bytes or 0, f'"{found.sha256}"'
    headers = {"ETag": tag, "Accept-Ranges": "bytes", "Cache-Control": cache}
    if asked.if_none_match in (tag, "*"):
        return Response(status_code=304, headers=headers)
    try:
        part = None
        if asked.if_range in (None, tag):
            part = read_range(asked.wanted, total)
    except Unsatisfiable:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{total}"})

    headers |= {
        "Content-Disposition": f'inline; filename="{_file_name(call, f".{_ending(found)}")}"'
    }
    if part:
        headers["Content-Range"] = part.content_range
    part, status = part or Part(start=0, last=total - 1, total=total), 206 if part else 200
    headers["Content-Length"] = str(part.length)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=found.content_type)

    audio = await app_state.web.listening.open(found, part.start, part.length)
    return StreamingResponse(audio.chunks, status, headers, audio.content_type)


async def _converted(
    request: Request,
    app_state: AppState,
    call: Call,
    found: Recording,
    to: DownloadFormat | None,
    side: HeardSide | None,
) -> Response:
    to = to or DownloadFormat.MP3
    made = await app_state.web.listening.convert(found, to, side)
    name = _file_name(call, f"_{side}.{to}" if side else f".{to}")
    headers = {
        "Accept-Ranges": "none",
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    if made.length is not None:
        headers["Content-Length"] = str(made.length)
    if request.method == "HEAD":
        return Response(headers=headers, media_type=made.content_type)
    return StreamingResponse(made.chunks, 200, headers, made.content_type)


def _ending(found: Recording) -> str:
    return ENDINGS.get(found.content_type or "", "audio")


def _file_name(call: Call, end: str) -> str:
    """Time and caller in safe characters, e.g. `2026-01-20_140305Z_74951234567.mp3`."""
    who = (call.caller or "anonymous").removeprefix("+")
    return f"{call.arrived_at:%Y-%m-%d_%H%M%SZ}_{who}{end}"
