"""The marks on the timeline of a recording, from all that knows moments of it."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from router.domain.calls.call import Call, Recording, RecordingState
from router.domain.calls.comment import Comment
from router.domain.calls.marks import Mark, MarkKind, marks_of_course, marks_of_sound
from router.domain.calls.word_list import marks_of_words
from router.domain.text import one_line
from router.service.calls.word_lists import lists_for
from router.service.ports import Session, Store

MOST = 500
Source = Callable[[Session, Call, Recording], Awaitable[Iterable[Mark]]]


async def _course(_session: Session, call: Call, recording: Recording) -> Iterable[Mark]:
    return marks_of_course(call, recording.seconds or 0.0)


async def _sound(_session: Session, _call: Call, recording: Recording) -> Iterable[Mark]:
    if not recording.spans:
        return ()
    return marks_of_sound(recording.spans)


async def _tags(session: Session, call: Call, _recording: Recording) -> Iterable[Mark]:
    tags = (await session.tags.of([call.id])).get(call.id, ())
    marks = []
    for tag in tags:
        if tag.at_seconds is not None:
            marks.append(Mark(kind=MarkKind.TAG, at_seconds=tag.at_seconds, text=tag.name))
    return marks


async def _comments(session: Session, call: Call, _recording: Recording) -> Iterable[Mark]:
    marks = []
    for comment in await session.find(Comment, call_id=call.id):
        if comment.at_seconds is not None and comment.is_seen_by(None):
            marks.append(
                Mark(
                    kind=MarkKind.COMMENT,
                    at_seconds=comment.at_seconds,
                    text=f"{comment.author}: {one_line(comment.text, 80)}",
                )
            )
    return marks


async def _words(session: Session, call: Call, _recording: Recording) -> Iterable[Mark]:
    lists = await lists_for(session, call.site_id)
    if not lists:
        return ()
    return marks_of_words(lists, await session.transcripts.segments(call.id))


SOURCES: tuple[Source, ...] = (
    _course,
    _sound,
    _tags,
    _comments,
    _words,
)


async def list_marks(store: Store, call_id: str) -> tuple[Mark, ...]:
    """The marks of a call's recording in order; none without a recording. Raises `NotFound`."""
    async with store.read() as session:
        call = await session.get(Call, call_id)
        recording = await session.peek(Recording, call_id)  # whole, with its spans
        if recording is None or recording.state is not RecordingState.STORED:
            return ()
        found: list[Mark] = []
        for source in SOURCES:
            found.extend(await source(session, call, recording))
    return tuple(_inside(found, recording.seconds))


def _inside(marks: Iterable[Mark], seconds: float | None) -> list[Mark]:
    """The first marks in order; clocks differ a little, so none is beyond the end."""
    ordered = sorted(marks, key=lambda mark: (mark.at_seconds, mark.kind))[:MOST]
    if seconds is None:
        return ordered
    return [replace(mark, at_seconds=min(mark.at_seconds, seconds)) for mark in ordered]
