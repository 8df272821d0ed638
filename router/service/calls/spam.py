"""Finds signs of spam, keeps the block list, and undoes what was marked wrongly."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from router.domain.calls.call import Call, Direction
from router.domain.calls.call_filter import CallFilter
from router.domain.calls.qualification import Decision, FoundSign, Sign, Subject
from router.domain.calls.spam import (
    LONGEST_NOTE,
    WINDOW,
    BadEntry,
    BlockedCaller,
    bursts,
    entries_for,
    entry_id,
    is_never_leased,
    is_short,
    is_silent,
    read_list,
)
from router.domain.text import one_line, storable
from router.domain.visitors.site import TrackingNumber
from router.errors import InvalidInput, NotFound
from router.service.ids import ids_of
from router.service.ports import Session, Store

MOST_NEAR = 500  # calls of one caller around a call
MOST_OF_CALLER = 500  # calls that an undone sign is taken from
MOST_LISTED = 200
EFFECT = timedelta(days=30)
MOST_COUNTED = 10_000
_OF_ONE = (Sign.BLOCKED, Sign.NEVER_LEASED, Sign.SILENT)


async def find_signs(session: Session, call_ids: Collection[str]) -> set[str]:
    """Find the signs on these calls; returns the ids of all calls that may have got or lost one."""
    calls = list((await session.get_many(Call, call_ids)).values())
    calls = [call for call in calls if call.direction is Direction.INCOMING]
    ids = ids_of(calls)
    if not ids:
        return set()
    found = [*await _of_each(session, calls)]
    near, of_bursts = await _bursts(session, calls)
    found += of_bursts
    known = set()
    for some in (await session.spam.signs([*ids, *near])).values():
        for one in some:
            known.add((one.call_id, one.sign))

    new = {(one.call_id, one.sign) for one in found}
    considered = dict.fromkeys(_OF_ONE, ids) | {Sign.BURST: sorted(near)}
    relevant = {(call_id, sign) for call_id, sign in known if call_id in considered[sign]}
    if relevant != new:
        await session.spam.save(considered, found)
    return {call_id for call_id, _ in relevant ^ new}


async def _of_each(session: Session, calls: Sequence[Call]) -> list[FoundSign]:
    ids = ids_of(calls)
    recordings = await session.recordings.of(ids)
    numbers = await session.get_many(TrackingNumber, {c.number for c in calls if c.number})
    entries = {call.id: entries_for(call.caller) for call in calls if call.caller}
    blocked = await session.spam.blocked({one for some in entries.values() for one in some})
    known = await session.spam.signs(ids)
    found = []
    for call in calls:
        if mine := [one for one in entries.get(call.id, ()) if one in blocked]:
            facts = {"entry": mine[-1]}
            found.append(FoundSign(call_id=call.id, sign=Sign.BLOCKED, facts=facts))
        before = {one.sign for one in known.get(call.id, ())}  # it was so when the call came
        number = numbers.get(call.number or "")
        if Sign.NEVER_LEASED in before or is_never_leased(number, call.arrived_at):
            found.append(FoundSign(call_id=call.id, sign=Sign.NEVER_LEASED))
        if is_silent(call, recordings.get(call.id)):
            found.append(FoundSign(call_id=call.id, sign=Sign.SILENT))
    return found


async def _bursts(session: Session, calls: Iterable[Call]) -> tuple[set[str], list[FoundSign]]:
    """The calls near these ones by the same caller, and which of them are part of a burst."""
    considered: set[str] = set()
    found: dict[str, FoundSign] = {}
    for call in calls:
        if not is_short(call):
            continue
        around = CallFilter(
            caller=call.caller,
            since=call.arrived_at - 2 * WINDOW,
            until=call.arrived_at + 2 * WINDOW,
        )
        others = await session.calls.find(around, limit=MOST_NEAR)
        near = {one.id for one in others if abs(one.arrived_at - call.arrived_at) <= WINDOW}
        considered |= near
        for call_id in bursts(others) & near:
            found[call_id] = FoundSign(call_id=call_id, sign=Sign.BURST)
    return considered, list(found.values())


async def exempt_caller(session: Session, decision: Decision) -> list[str]:
    """If a call is no spam, its signs never count for this caller again; returns the ids of the
    caller's calls with a sign.
    """
    call = await session.get(Call, decision.call_id)
    if decision.subject is not Subject.SPAM or decision.wanted or call.caller is None:
        return []
    for sign in (await session.spam.counting([call.id])).get(call.id, ()):
        await session.spam.exempt(
            call.caller, sign.sign, call_id=call.id, author=decision.author, now=decision.at
        )
    return await session.spam.calls_of(call.caller, MOST_OF_CALLER)


async def count_again(session: Session, call: Call) -> list[str]:
    """The signs that were undone on this call count again; returns the ids of the caller's calls
    with a sign.
    """
    await session.spam.count_again(call_id=call.id)
    if not call.caller:
        return []
    return await session.spam.calls_of(call.caller, MOST_OF_CALLER)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpamView:
    """The block list, the signs, and their effect."""

    entries: tuple[BlockedCaller, ...]
    listed: int
    counts: dict[Sign, int]  # calls of the last 30 days with each sign
    switched_off: set[Sign]
    spam: int  # calls of the last 30 days that are spam, and not counted


async def show_spam(store: Store, now: datetime, containing: str = "") -> SpamView:
    """What is known of spam."""
    async with store.survey() as session:
        since = now - EFFECT
        return SpamView(
            entries=tuple(await session.spam.listed(containing, MOST_LISTED)),
            listed=await session.spam.count_listed(),
            counts=await session.spam.counts(since),
            switched_off=await session.spam.switched_off(),
            spam=await session.calls.count(CallFilter(spam=True, since=since), MOST_COUNTED + 1),
        )


async def block_caller(
    store: Store, text: str, *, note: str = "", region: str = "RU", author: str, now: datetime
) -> BlockedCaller:
    """Put a number, or with `*` the beginning of numbers, on the block list. Its calls are spam,
    past ones too. Raises `InvalidInput`.
    """
    entry = BlockedCaller(
        id=entry_id(text, region),
        note=one_line(storable(note), LONGEST_NOTE),
        author=author,
        created_at=now,
    )
    async with store.write() as session:
        await session.calls.lock()
        await session.spam.block([entry])
        await session.spam.look_again(entry=entry.id)
    return entry


async def block_caller_of(store: Store, call_id: str, *, author: str, now: datetime) -> None:
    """Put the caller of this call on the block list. Raises `NotFound` and `InvalidInput`."""
    async with store.read() as session:
        call = await session.get(Call, call_id)
    if call.caller is None:
        raise InvalidInput("The caller's number is not known.")
    await block_caller(store, call.caller, author=author, now=now)


async def unblock_caller(store: Store, entry: str) -> None:
    """Take an entry off the block list, and its mark off its calls. Raises `NotFound`."""
    async with store.write() as session:
        await session.calls.lock()
        if not await session.spam.unblock(entry):
            raise NotFound(f"'{entry[:40]}' is not on the block list.")
        await session.spam.look_again(entry=entry)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedList:
    """What became of the lines of a file."""

    added: int
    known: int  # that the list had already
    bad: tuple[BadEntry, ...]


async def import_list(
    store: Store, text: str, *, region: str = "RU", author: str, now: datetime
) -> ImportedList:
    """Add the good lines of a CSV file to the block list; bad ones are named."""
    lines = list(read_list(text, region))
    bad = tuple(line for line in lines if isinstance(line, BadEntry))
    entries = []
    for line in lines:
        if not isinstance(line, BadEntry):
            entries.append(BlockedCaller(id=line[0], note=line[1], author=author, created_at=now))

    async with store.write() as session:
        await session.calls.lock()
        added = await session.spam.block(entries)
    return ImportedList(added=added, known=len(entries) - added, bad=bad)


async def switch_sign(store: Store, sign: Sign, *, on: bool, author: str, now: datetime) -> None:
    """Let a sign count or not; calls that have it are looked at again."""
    async with store.write() as session:
        await session.calls.lock()
        await session.spam.switch(sign, on=on, author=author, now=now)
        await session.spam.look_again(sign=sign)
