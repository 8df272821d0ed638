"""Learns from the journal: rows become calls, with verdict, tags, recordings and deliveries, in one transaction."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from router.domain.call import Call, Recording, RecordingState, State
from router.domain.delivery import DeliveryKind
from router.domain.folding import fold
from router.domain.ledger import Ledger, Row
from router.domain.phone import caller_number, masked
from router.domain.routing import RoutingTable
from router.domain.site import Site
from router.domain.tagging import tags_by_rule
from router.service.announcing import announce_calls
from router.service.attributing import IDENTITY, STRAYS, Judge
from router.service.leasing import free_after_call
from router.service.ports import Cursor, RejectedRow, Session, Store

log = structlog.get_logger()

Clock = Callable[[], datetime]
FILES_REST = timedelta(seconds=0.6)  # after a call's end, until its spool files can be trusted to be whole
SILENT = timedelta(seconds=10)  # a call without channels is cut only when the journal said nothing of it for so long


class Learner:
    """Holds the open calls between batches; what it knows can be rebuilt from the store at any time."""

    def __init__(
        self,
        store: Store,
        table: Callable[[], RoutingTable],
        clock: Clock,
        region: str = "RU",
        journal: str = "journal",
    ) -> None:
        self._store, self._table, self._clock, self._region = store, table, clock, region
        self._journal = journal  # whose: several Asterisks may share a database
        self._ledger = Ledger()
        self._written: dict[str, Call] = {}  # open calls as they are in the store
        self.cursor: Cursor | None = None

    async def recall(self) -> None:
        """Take up where the last transaction left off; also after one that failed."""
        async with self._store.read() as session:
            self.cursor = await session.cursor(self._journal)
            self._ledger = Ledger(await session.open_rows(self._journal))
        self._written.clear()

    async def learn(self, rows: Iterable[Row], cursor: Cursor, rejected: Sequence[RejectedRow] = ()) -> None:
        """Take a batch. After an exception nothing of it was kept: `recall`, then read it again."""
        for row in rows:
            self._ledger.add(row)
        groups, absorbed = self._ledger.take_touched()
        calls = [call for group in groups for call in fold(group.rows)]
        async with self._store.write() as session:
            await self._write(session, calls)
            still_open = {group.id: group.rows for group in groups if not group.over}
            await session.save_open_rows(still_open, [*absorbed, *(g.id for g in groups if g.over)], self._journal)
            await session.set_aside(rejected)
            await session.set_cursor(cursor, self._journal)
        self.cursor = cursor
        for bad in rejected:
            log.warning("journal_row_set_aside", file=bad.file, offset=bad.offset, reason=bad.reason)

    async def close_dead(self, alive: frozenset[str]) -> int:
        """Close the calls of which Asterisk knows no channel (`alive`: uniqueids); how many there were."""
        dead = self._ledger.cut(alive, self._clock() - SILENT)
        if not dead:
            return 0
        calls = [call for group in dead for call in fold(group.rows, cut_at=group.rows[-1].at)]
        async with self._store.write() as session:
            await self._write(session, calls)
            await session.save_open_rows({}, [group.id for group in dead], self._journal)
        for call in calls:
            log.warning("call_cut", linkedid=call.id, caller=masked(call.caller))
        return len(dead)

    async def hold(self, linkedid: str, channel: str, at: datetime, *, held: bool) -> None:
        """A phone put the other side on hold, or came back: the one fact that Asterisk does not write down."""
        async with self._store.write() as session:
            await session.hold(linkedid, channel, at, held=held)

    async def _write(self, session: Session, calls: Sequence[Call]) -> None:
        new = [call for call in calls if call.id not in self._written]
        if new:
            known = await session.ended_calls([call.id for call in new])  # a journal read again teaches nothing
            new = await self._identify(session, [call for call in new if call.id not in known])
        if mine := [self._written[call.id] for call in calls if call.id in self._written]:
            await session.hold_calls()
            self._written |= await session.judged_again(mine)
        old = [_as_known(call, self._written[call.id]) for call in calls if call.id in self._written]
        changed = [call for call in (*new, *old) if call != self._written.get(call.id)]
        ended = [call for call in changed if call.state is State.ENDED]
        if ended:
            changed = await self._with_holds(session, changed)
            ended = [call for call in changed if call.state is State.ENDED]
        now = self._clock()
        await session.save_calls(changed)
        strays = sorted(call.number for call in new if call.number and call.verdict in STRAYS)
        if strays:  # with those that calls free, in one order: nobody waits in a circle
            await session.lock_numbers({*strays, *(call.number for call in ended if call.number)})
            await session.count_strays(strays)
        await session.set_tag(*(tag for call in ended for tag in tags_by_rule(call, now)))
        await session.save_recordings([r for call in ended for r in _recordings(call, now)])
        await announce_calls(session, ended, DeliveryKind.CALL_ENDED, now)
        await free_after_call(session, ended)
        self._written.update((call.id, call) for call in changed)
        for call in ended:
            del self._written[call.id]

    async def _identify(self, session: Session, calls: Sequence[Call]) -> list[Call]:
        """Whose numbers were called, by whom, and which visitor's they were at that moment."""
        table, judge = self._table(), Judge(session)
        sites: dict[str, Site | None] = {}
        known: list[Call] = []
        for call in sorted(calls, key=lambda one: one.arrived_at):  # the first is evidence for those that follow
            number = table.number(call.did)
            site = sites[call.id] = table.sites.get(number.site_id) if number else None
            known.append(
                replace(
                    call,
                    # A number taken out since is known to the dialplan's own words, and its leases outlive it.
                    number=number.e164 if number else call.number,
                    site_id=site.id if site else None,
                    caller=caller_number(call.caller_raw, site.region if site else self._region),
                )
            )
        await judge.expect(known)
        return [await judge.judge(call, sites[call.id]) for call in known]

    async def _with_holds(self, session: Session, calls: Sequence[Call]) -> list[Call]:
        holds: dict[str, list[tuple[datetime, datetime | None]]] = {}
        for linkedid, start, end in await session.holds([call.id for call in calls]):
            holds.setdefault(linkedid, []).append((start, end))
        now = self._clock()
        return [replace(call, hold_seconds=_held(call, holds.get(call.id, ()), now)) for call in calls]


_IDENTITY = ("number", "site_id", "caller", "caller_region", "caller_operator", "code", *IDENTITY)


def _as_known(call: Call, known: Call) -> Call:
    """The call with the identity that was found when it came, or since by a code or a form."""
    return replace(call, **{name: getattr(known, name) for name in _IDENTITY})


def _held(call: Call, holds: Iterable[tuple[datetime, datetime | None]], now: datetime) -> float:
    """Seconds during which at least one phone held the other: the union of the holds, inside the talk."""
    if call.answered_at is None:
        return 0.0
    total, reached = 0.0, call.answered_at
    for start, end in sorted(holds, key=lambda hold: hold[0]):
        until = min(end or now, call.ended_at or now)
        total += max(0.0, (until - max(start, reached)).total_seconds())
        reached = max(reached, until)
    return total


def _recordings(call: Call, now: datetime) -> list[Recording]:
    """What the worker has to do with the call's spool files: shelve them, or remove them."""
    if call.spool_name is None:
        return []
    recording = Recording(
        call_id=call.id,
        spool_name=call.spool_name,
        state=RecordingState.WAITING,
        expected_seconds=call.talk_seconds,
        due_at=max(now, (call.ended_at or now) + FILES_REST),
    )
    return [recording]
