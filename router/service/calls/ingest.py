"""Ingests the CEL log: rows become calls, in one transaction with the cursor. The open calls in
memory mirror the database; after a failed write they are loaded again. A call that cannot be
processed is stored with its reason and stops no other.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from router.domain.calls.call import Call
from router.domain.calls.clock_steps import ClockStep, noted, undone
from router.domain.calls.ledger import Group, Ledger, Row
from router.domain.calls.routing import RoutingTable
from router.domain.calls.thinning import thin
from router.domain.phone import masked
from router.errors import DatabaseUnavailable, Unavailable
from router.service.calls.call_backs import follow as follow_back
from router.service.calls.group_calls import (
    MOST_ROWS,
    calls_of,
    cut_calls,
    ended_call,
    rejected_rows,
    tell_rejected,
)
from router.service.calls.ports import Cursor, RejectedRow, RouteRequest
from router.service.calls.unlogged import unlogged_call, unread_calls
from router.service.calls.writer import CallWriter
from router.service.clock import Clock
from router.service.ids import ids_of
from router.service.ports import Session, Store

log = structlog.get_logger()

# after this time since the route request, a call that is not in the CEL log will never be
UNLOGGED = timedelta(seconds=20)
# a call without channels is cut only after no rows for this long
SILENT = timedelta(seconds=10)
Reread = Callable[[Collection[str]], Awaitable[Mapping[str, Sequence[Row]]]]


class MemoryLost(DatabaseUnavailable):
    """The last write failed: open calls have to be loaded from the database first."""


class CallIngest:
    """Keeps the open calls between batches; they can be rebuilt from the store."""

    def __init__(
        self,
        store: Store,
        table: Callable[[], RoutingTable],
        clock: Clock,
        region: str = "RU",
        cel_log: str = "cel_log",
    ) -> None:
        self._store, self._clock = store, clock
        self._cel_log = cel_log  # whose: several Asterisks may share a database
        self._ledger = Ledger()
        self._writer = CallWriter(table, clock, region)
        self._current = False  # memory mirrors the database
        self.cursor: Cursor | None = None

    @property
    def open_calls(self) -> int:
        """How many groups of rows have not ended."""
        return len(list(self._ledger))

    def knows(self, linkedid: str) -> bool:
        """Whether rows of this call were ingested, and it has not ended."""
        return self._current and linkedid in self._ledger

    def clock_stepped(self, step: ClockStep) -> None:
        """The clock was set: open calls become neither longer nor shorter by that."""
        for group in self._ledger:
            group.rows = noted(group.rows, step)

    async def ready(self) -> None:
        """Load the memory from the database if it may differ."""
        if not self._current:
            await self.recall()

    async def recall(self) -> None:
        """Continue after the last transaction."""
        self._current = False
        async with self._store.read() as session:
            cursor = await session.cel_log.cursor(self._cel_log)
            rows = await session.cel_log.open_rows(self._cel_log)
            unreadable = await session.cel_log.unreadable_open_rows(self._cel_log, self._clock())
        if unreadable:
            async with self._store.write() as session:
                await session.cel_log.set_aside(list(unreadable.values()))
                await session.cel_log.save_open_rows({}, list(unreadable), self._cel_log)
            tell_rejected(unreadable.values())
        self.cursor, self._ledger = cursor, Ledger(rows)
        self._writer.forget()
        self._current = True

    async def ingest(
        self, rows: Iterable[Row], cursor: Cursor, rejected: Sequence[RejectedRow] = ()
    ) -> None:
        """Ingest a batch. After an exception nothing was stored: call `ready`, then repeat."""
        if not self._current:
            raise MemoryLost
        batch = list(rows)
        try:
            await self._ingest(batch, cursor, rejected, self._write_all)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  whose fault it is shows when each call is tried alone
            log.warning("batch_not_ingested", reason=repr(error)[:300])
            await self.recall()
            await self._ingest(batch, cursor, rejected, self._write_each)
        self.cursor = cursor
        tell_rejected(rejected)

    async def _ingest(
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
            await session.cel_log.save_open_rows({}, absorbed, self._cel_log)
            await write(session, groups)
            await session.cel_log.set_aside(rejected)
            await session.cel_log.set_cursor(cursor, self._cel_log)
        self._ledger.settle()
        self._thin(groups)
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

    def _thin(self, groups: Sequence[Group]) -> None:
        for group in groups:
            if not group.over and len(group.rows) > MOST_ROWS:
                log.warning("call_thinned", linkedid=group.id, rows=len(group.rows))
                self._ledger.keep(group, thin(group.rows, MOST_ROWS // 2))

    async def _write_all(self, session: Session, groups: Sequence[Group]) -> None:
        calls = {group.id: calls_of(group) for group in groups}
        await self._writer.write(session, [call for some in calls.values() for call in some])
        for group in groups:
            await follow_back(session, group.rows, calls[group.id], over=group.over)
        await self._keep_open(session, groups)

    async def _write_each(self, session: Session, groups: Sequence[Group]) -> None:
        """Write each call separately; one that fails is removed from memory, and its rows are
        stored as rejected.
        """
        for group in groups:
            calls: Sequence[Call] = ()
            try:
                calls = calls_of(group)
                async with session.savepoint():
                    await self._writer.write(session, calls)
                    await follow_back(session, group.rows, calls, over=group.over)
                    await self._keep_open(session, [group])
            except Unavailable:
                raise
            except Exception as error:
                log.exception("call_set_aside", linkedid=group.id, rows=len(group.rows))
                self._writer.forget(ids_of(calls))
                self._ledger.forget(group)
                await session.cel_log.set_aside(rejected_rows(group, error, self._clock()))
                await session.cel_log.save_open_rows({}, [group.id], self._cel_log)
                await self._keep_unread(session, group)

    async def _keep_unread(self, session: Session, group: Group) -> None:
        """Store the calls of a group that cannot be processed with the facts of its first rows;
        `close_lost` ends those that are stored as open.
        """
        calls: Sequence[Call] = ()
        try:
            calls = unread_calls(group.rows)
            stored = await session.get_many(Call, ids_of(calls))
            calls = [call for call in calls if call.id not in stored]
            async with session.savepoint():
                await self._writer.write(session, calls)
        except Unavailable:
            raise
        except Exception:
            log.exception("call_not_kept", linkedid=group.id)
            self._writer.forget(ids_of(calls))

    async def _keep_open(self, session: Session, groups: Sequence[Group]) -> None:
        still_open = {group.id: group.rows for group in groups if not group.over}
        await session.cel_log.save_open_rows(
            still_open, [group.id for group in groups if group.over], self._cel_log
        )

    async def close_silent(self, alive: frozenset[str]) -> int:
        """Close calls without channels in Asterisk (`alive`: uniqueids, linkedids); returns their
        number.
        """
        await self.ready()
        silent = self._ledger.silent(alive, self._clock() - SILENT)
        cut, calls = [], list[Call]()
        for group in silent:
            some = cut_calls(group.rows)
            cut.append((group, some))
            calls.extend(some)

        if silent:
            self._current = False
            async with self._store.write() as session:
                await self._writer.write(session, calls)
                for group, some in cut:
                    await follow_back(session, group.rows, some, over=True)
                ids = ids_of(silent)
                await session.cel_log.save_open_rows({}, ids, self._cel_log)
            for group in silent:
                self._ledger.forget(group)
            self._current = True
        for call in calls:
            log.warning("call_cut", linkedid=call.id, caller=masked(call.caller))
        return len(silent)

    async def close_lost(self, alive: frozenset[str], reread: Reread) -> int:
        """End calls that are open only in the database. Their end may be in the CEL log before the
        cursor: `reread` returns their remaining rows.
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
            who = masked(call.caller)
            log.warning("call_ended_late", linkedid=call.id, caller=who, ending=call.ending)
        return len(ended)

    async def _lost(self, alive: frozenset[str]) -> dict[str, Call]:
        async with self._store.read() as session:
            calls = await session.calls.unfinished()
            others = await session.cel_log.names() - {self._cel_log}
        ours = [call for call in calls if call.id.rpartition("-")[0] not in others]
        return {call.id: call for call in ours if self._is_gone(call.id, alive)}

    def _is_gone(self, linkedid: str, alive: frozenset[str]) -> bool:
        return linkedid not in self._ledger and linkedid not in alive

    async def keep_requests(self, requests: Sequence[RouteRequest]) -> None:
        """Store route requests until their calls are in the CEL log."""
        async with self._store.write() as session:
            await session.route_requests.add(requests, self._cel_log)

    async def close_unlogged(self, alive: frozenset[str]) -> int:
        """Store the calls that had a route request but are missing in the CEL log."""
        await self.ready()
        before = self._clock() - UNLOGGED
        async with self._store.write() as session:
            await session.route_requests.forget()
            asked = await session.route_requests.before(self._cel_log, before)
        lost = [request for request in asked if self._is_gone(request.linkedid, alive)]
        if not lost:
            return 0
        self._current = False
        async with self._store.write() as session:
            await self._writer.write(session, [unlogged_call(request) for request in lost])
            await session.route_requests.forget([request.linkedid for request in lost])
        self._current = True
        for request in lost:
            at = request.at.isoformat()
            log.error("call_not_in_cel_log", linkedid=request.linkedid, did=request.did, at=at)
        return len(lost)

    async def hold(self, linkedid: str, channel: str, at: datetime, *, held: bool) -> None:
        """Store a hold or unhold, which is not in the CEL log."""
        at = undone(at, self._ledger.rows(linkedid))
        async with self._store.write() as session:
            await session.holds.note(linkedid, channel, at, held=held)

    async def press(self, linkedid: str, channel: str, at: datetime, key: str) -> None:
        """Store a key that a phone sent, which is not in the CEL log."""
        at = undone(at, self._ledger.rows(linkedid))
        async with self._store.write() as session:
            await session.holds.note_key(linkedid, channel, at, key)
