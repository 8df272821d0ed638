"""Learns from the journal: rows become calls, in one transaction with the cursor.

The memory of open calls is what the database has: it is believed only after a commit, and read from
the database again after a write that failed. A call that cannot be learned is set aside with its
reason and stops no other.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from router.domain.calls.call import Call
from router.domain.calls.ledger import Group, Ledger, Row
from router.domain.calls.routing import RoutingTable
from router.domain.phone import masked
from router.errors import DatabaseUnavailable, Unavailable
from router.service.calls.group_calls import calls_of, cut_calls, ended_call, rejected_rows
from router.service.calls.ports import Cursor, RejectedRow, RouteRequest
from router.service.calls.unlogged import unlogged_call
from router.service.calls.writer import CallWriter
from router.service.clock import Clock
from router.service.ports import Session, Store

log = structlog.get_logger()

# after the question for a route, the journal has spoken of the call or never will
UNLOGGED = timedelta(seconds=20)
# a call without channels is cut only when the journal said nothing of it for so long
SILENT = timedelta(seconds=10)
Reread = Callable[[Collection[str]], Awaitable[Mapping[str, Sequence[Row]]]]


class MemoryLost(DatabaseUnavailable):
    """The last write failed: what is known of open calls has to be read from the database first."""


class Learner:
    """Holds the open calls between batches; all it knows can be rebuilt from the store."""

    def __init__(
        self,
        store: Store,
        table: Callable[[], RoutingTable],
        clock: Clock,
        region: str = "RU",
        journal: str = "journal",
    ) -> None:
        self._store, self._clock = store, clock
        self._journal = journal  # whose: several Asterisks may share a database
        self._ledger = Ledger()
        self._writer = CallWriter(table, clock, region)
        self._current = False  # the memory is what the database has
        self.cursor: Cursor | None = None

    @property
    def open_calls(self) -> int:
        """How many groups of rows have not ended."""
        return len(list(self._ledger))

    async def ready(self) -> None:
        """Read the memory from the database where it is not what the database has."""
        if not self._current:
            await self.recall()

    async def recall(self) -> None:
        """Take up where the last transaction left off."""
        self._current = False
        async with self._store.read() as session:
            cursor = await session.cel_log.cursor(self._journal)
            rows = await session.cel_log.open_rows(self._journal)
            unreadable = await session.cel_log.unreadable_open_rows(self._journal, self._clock())
        if unreadable:
            async with self._store.write() as session:
                await session.cel_log.set_aside(list(unreadable.values()))
                await session.cel_log.save_open_rows({}, list(unreadable), self._journal)
            _tell(unreadable.values())
        self.cursor, self._ledger = cursor, Ledger(rows)
        self._writer.forget()
        self._current = True

    async def learn(
        self, rows: Iterable[Row], cursor: Cursor, rejected: Sequence[RejectedRow] = ()
    ) -> None:
        """Take a batch. After an exception nothing of it was kept: `ready`, then read it again."""
        if not self._current:
            raise MemoryLost
        batch = list(rows)
        try:
            await self._learn(batch, cursor, rejected, self._write_all)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  whose fault it is shows when each call is tried alone
            log.warning("batch_not_learned", reason=repr(error)[:300])
            await self.recall()
            await self._learn(batch, cursor, rejected, self._write_each)
        self.cursor = cursor
        _tell(rejected)

    async def _learn(
        self,
        rows: Sequence[Row],
        cursor: Cursor,
        rejected: Sequence[RejectedRow],
        write: Callable[[Session, Sequence[Group]], Awaitable[None]],
    ) -> None:
        self._current = False
        for row in rows:
            self._ledger.add(row)
        groups, absorbed = self._ledger.touched()
        async with self._store.write() as session:
            await session.cel_log.save_open_rows({}, absorbed, self._journal)
            await write(session, groups)
            await session.cel_log.set_aside(rejected)
            await session.cel_log.set_cursor(cursor, self._journal)
        self._ledger.settle()
        self._current = True
        for call in self._writer.take_ended():
            log.info(
                "call_ended",
                linkedid=call.id,
                number=call.number or call.did,
                caller=masked(call.caller),
                destination=call.destination_id,
                ending=call.ending,
                wait=round(call.wait_seconds, 1),
                talk=round(call.talk_seconds, 1),
            )

    async def _write_all(self, session: Session, groups: Sequence[Group]) -> None:
        await self._writer.write(session, [call for group in groups for call in calls_of(group)])
        await self._keep_open(session, groups)

    async def _write_each(self, session: Session, groups: Sequence[Group]) -> None:
        """Each call by itself: one that cannot be learned leaves the memory, and its rows are set
        aside.
        """
        for group in groups:
            calls: Sequence[Call] = ()
            try:
                calls = calls_of(group)
                async with session.savepoint():
                    await self._writer.write(session, calls)
                    await self._keep_open(session, [group])
            except Unavailable:
                raise
            except Exception as error:
                log.exception("call_set_aside", linkedid=group.id, rows=len(group.rows))
                self._writer.forget([call.id for call in calls])
                self._ledger.forget(group)
                await session.cel_log.set_aside(rejected_rows(group, error, self._clock()))
                await session.cel_log.save_open_rows({}, [group.id], self._journal)

    async def _keep_open(self, session: Session, groups: Sequence[Group]) -> None:
        still_open = {group.id: group.rows for group in groups if not group.over}
        await session.cel_log.save_open_rows(
            still_open, [group.id for group in groups if group.over], self._journal
        )

    async def close_dead(self, alive: frozenset[str]) -> int:
        """Close the calls of which Asterisk knows no channel (`alive`: uniqueids, linkedids); how
        many there were.
        """
        await self.ready()
        dead = self._ledger.dead(alive, self._clock() - SILENT)
        calls = [call for group in dead for call in cut_calls(group.rows)]
        if dead:
            self._current = False
            async with self._store.write() as session:
                await self._writer.write(session, calls)
                await session.cel_log.save_open_rows(
                    {}, [group.id for group in dead], self._journal
                )
            for group in dead:
                self._ledger.forget(group)
            self._current = True
        for call in calls:
            log.warning("call_cut", linkedid=call.id, caller=masked(call.caller))
        return len(dead)

    async def close_lost(self, alive: frozenset[str], reread: Reread) -> int:
        """End the calls that are open in the database alone: neither the memory nor Asterisk knows
        them any more.

        Their end may stand in the journal, before the cursor: `reread` gives the rows that it still
        has of them.
        """
        await self.ready()
        lost = await self._lost(alive)
        if not lost:
            return 0
        rows = await reread(lost.keys())
        ended = [ended_call(call, rows.get(call.id, ())) for call in lost.values()]
        self._current = False
        async with self._store.write() as session:
            self._writer.remember(lost.values())
            await self._writer.write(session, ended)
        self._current = True
        for call in ended:
            log.warning(
                "call_ended_late", linkedid=call.id, caller=masked(call.caller), ending=call.ending
            )
        return len(ended)

    async def _lost(self, alive: frozenset[str]) -> dict[str, Call]:
        async with self._store.read() as session:
            calls = await session.calls.unfinished()
            others = await session.cel_log.names() - {self._journal}
        return {
            call.id: call
            for call in calls
            if call.id not in self._ledger
            and call.id not in alive
            and call.id.rpartition("-")[0] not in others
        }

    async def keep_requests(self, requests: Sequence[RouteRequest]) -> None:
        """Keep what the dialplan asked, until the journal speaks of the calls."""
        async with self._store.write() as session:
            await session.route_requests.add(requests, self._journal)

    async def close_unlogged(self, alive: frozenset[str]) -> int:
        """Write down the calls that a route was asked for and that the journal, read to its end,
        never spoke of.
        """
        await self.ready()
        before = self._clock() - UNLOGGED
        async with self._store.write() as session:
            await session.route_requests.forget()
            asked = await session.route_requests.before(self._journal, before)
        lost = [
            one for one in asked if one.linkedid not in self._ledger and one.linkedid not in alive
        ]
        if not lost:
            return 0
        self._current = False
        async with self._store.write() as session:
            await self._writer.write(session, [unlogged_call(one) for one in lost])
            await session.route_requests.forget([one.linkedid for one in lost])
        self._current = True
        for one in lost:
            log.error(
                "call_not_in_cel_log", linkedid=one.linkedid, did=one.did, at=one.at.isoformat()
            )
        return len(lost)

    async def hold(self, linkedid: str, channel: str, at: datetime, *, held: bool) -> None:
        """A phone put the other side on hold, or came back: the one fact that Asterisk does not
        write down.
        """
        async with self._store.write() as session:
            await session.holds.note(linkedid, channel, at, held=held)


def _tell(rejected: Iterable[RejectedRow]) -> None:
    for bad in rejected:
        log.warning("journal_row_set_aside", file=bad.file, offset=bad.offset, reason=bad.reason)
