"""The recordings of many calls, in parts that are exported one after the other."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace

from router.domain.calls.call import Call, Recording
from router.errors import NotFound
from router.service.calls.browse import read_cursor, written_cursor
from router.service.calls.ports import Audio, RecordingReader
from router.service.calls.selection import Position, Selection, batches, reading
from router.service.ports import Store

MOST_CALLS = 500  # of a part
MOST_BYTES = 1 << 30  # of a part, unless its first recording is larger
MOST_PARTS = 5  # of one list
AT_ONCE = 16  # recordings that are looked for in the storage


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFacts:
    """A part of an export, between two calls: after `after`, up to and with `last`."""

    after: str | None  # a cursor
    last: str  # a cursor
    calls: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PartList:
    """Some parts, and the cursor of those that follow."""

    parts: tuple[PartFacts, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A recording of a part: its audio, or why it is missing."""

    call: Call
    recording: Recording
    audio: Audio | None
    why_missing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The recordings of a part, and the cursor of the next one."""

    planned: tuple[Planned, ...]
    next_cursor: str | None


async def list_parts(
    store: Store, selection: Selection, after: str | None = None, *, bounded: bool = False
) -> PartList:
    """The next parts of an export, of which each can be fetched again: their ends are calls, so
    that calls that arrive meanwhile move nothing. A `bounded` search ends after so many calls
    without a recording, and its last part may be short.
    """
    wanted = _with_recordings(selection)
    most = MOST_PARTS * MOST_CALLS
    async with reading(store, wanted) as session:
        found, reached = await session.calls.places(
            wanted.wanted,
            before=read_cursor(after) if after else None,
            limit=most,
            bounded=bounded,
        )
        sizes = await session.recordings.sizes([call_id for _, call_id in found])

    parts = _divided(((place, sizes[place[1]]) for place in found if place[1] in sizes), after)
    if len(found) == most:
        if len(parts) > 1:  # the last one may go on
            return PartList(parts=tuple(parts[:-1]), next_cursor=parts[-1].after)
        reached = found[-1]
    return PartList(
        parts=tuple(parts), next_cursor=written_cursor(*reached) if reached is not None else None
    )


def _divided(sizes: Iterable[tuple[Position, int]], after: str | None) -> list[PartFacts]:
    parts: list[PartFacts] = []
    last, calls, size = "", 0, 0
    for position, more in sizes:
        if calls and (calls == MOST_CALLS or size + more > MOST_BYTES):
            parts.append(PartFacts(after=after, last=last, calls=calls, bytes=size))
            after, calls, size = last, 0, 0
        last, calls, size = written_cursor(*position), calls + 1, size + more
    if calls:
        parts.append(PartFacts(after=after, last=last, calls=calls, bytes=size))
    return parts


async def all_parts(store: Store, selection: Selection) -> AsyncIterator[PartFacts]:
    """Every part of an export."""
    after: str | None = None
    while True:
        some = await list_parts(store, selection, after)
        for part in some.parts:
            yield part
        after = some.next_cursor
        if after is None:
            return


async def plan_part(
    store: Store,
    reader: RecordingReader,
    selection: Selection,
    *,
    after: Position | None = None,
    last: Position | None = None,
) -> Part:
    """The part between two calls; without `last`, as many as fit into one. Raises `NotFound` when
    there are none.
    """
    chosen: list[tuple[Call, Recording]] = []
    size, next_cursor = 0, None
    async for call, recording in _recorded(store, selection, after):
        position = (call.arrived_at, call.id)
        full = len(chosen) == MOST_CALLS or size + (recording.bytes or 0) > MOST_BYTES
        if last is not None and position < last:
            break
        if last is None and chosen and full:
            next_cursor = written_cursor(chosen[-1][0].arrived_at, chosen[-1][0].id)
            break
        chosen.append((call, recording))
        size += recording.bytes or 0
    if not chosen:
        raise NotFound("There is no recording of these calls.")
    limit = asyncio.Semaphore(AT_ONCE)
    planned = await asyncio.gather(*(_plan(reader, limit, *each) for each in chosen))
    return Part(planned=tuple(planned), next_cursor=next_cursor)


async def _plan(
    reader: RecordingReader, limit: asyncio.Semaphore, call: Call, recording: Recording
) -> Planned:
    async with limit:
        try:
            audio = await reader.open(recording)
        except NotFound as error:
            return Planned(call=call, recording=recording, audio=None, why_missing=error.message)
    return Planned(call=call, recording=recording, audio=audio)


async def _recorded(
    store: Store, selection: Selection, after: Position | None
) -> AsyncIterator[tuple[Call, Recording]]:
    async for lines in batches(store, _with_recordings(selection), before=after):
        for line in lines:
            if line.recording is not None and line.recording.key is not None:
                yield line.call, line.recording


def _with_recordings(selection: Selection) -> Selection:
    return replace(selection, wanted=replace(selection.wanted, recorded=True))
