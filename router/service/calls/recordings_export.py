"""The recordings of many calls, in parts that are exported one after the other."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from router.domain.calls.call import Call, Recording
from router.errors import NotFound
from router.service.calls.browse import written_cursor
from router.service.calls.ports import Audio, RecordingReader
from router.service.calls.selection import BATCH, Position, Selection, batches, reading
from router.service.ports import Store

MOST_CALLS = 500  # of a part
MOST_BYTES = 1 << 30  # of a part, unless its first recording is larger
MOST_PARTS = 1000  # of a list
AT_ONCE = 16  # recordings that are looked for in the storage


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFacts:
    """A part of an export, between two calls: after `after`, up to and with `last`."""

    after: str | None  # a cursor
    last: str  # a cursor
    calls: int
    bytes: int


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


async def list_parts(store: Store, selection: Selection) -> list[PartFacts]:
    """The parts of an export, of which each can be fetched again: their ends are calls, so that
    calls that arrive meanwhile move nothing.
    """
    parts: list[PartFacts] = []
    after: str | None = None
    last, calls, size = "", 0, 0
    async for position, more in _sizes(store, selection):
        if calls and (calls == MOST_CALLS or size + more > MOST_BYTES):
            parts.append(PartFacts(after=after, last=last, calls=calls, bytes=size))
            after, calls, size = last, 0, 0
            if len(parts) == MOST_PARTS:
                return parts
        last, calls, size = written_cursor(*position), calls + 1, size + more
    if calls:
        parts.append(PartFacts(after=after, last=last, calls=calls, bytes=size))
    return parts


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


async def _sizes(store: Store, selection: Selection) -> AsyncIterator[tuple[Position, int]]:
    """Where each recorded call is in the list, and the bytes of its recording."""
    if selection.call_ids is not None:
        async for call, recording in _recorded(store, selection, None):
            yield (call.arrived_at, call.id), recording.bytes or 0
        return

    before: Position | None = None
    wanted = _with_recordings(selection)
    while True:
        async with reading(store, wanted) as session:
            found = await session.calls.positions(wanted.wanted, before=before, limit=BATCH)
            recordings = await session.recordings.of([call_id for _, call_id in found])
        for position in found:
            if found_one := recordings.get(position[1]):
                yield position, found_one.bytes or 0
        if len(found) < BATCH:
            return
        before = found[-1]


def _with_recordings(selection: Selection) -> Selection:
    return replace(selection, wanted=replace(selection.wanted, recorded=True))
