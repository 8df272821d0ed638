"""Learns from the journal: rows become calls, with verdict, tags, recordings and deliveries, in one transaction."""

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from router.domain.attribution import attribute
from router.domain.call import Call, Recording, RecordingState, State
from router.domain.delivery import Delivery, DeliveryKind, Webhook, announce
from router.domain.folding import fold
from router.domain.ledger import Ledger, Row
from router.domain.phone import caller_number, masked
from router.domain.routing import RoutingTable
from router.domain.tagging import tags_by_rule
from router.domain.telling import call_body
from router.domain.visit import Visit, Visitor
from router.service.ports import Cursor, RejectedRow, Session, Store

log = structlog.get_logger()

Clock = Callable[[], datetime]
SILENT = timedelta(seconds=10)  # a call without channels is cut only when the journal said nothing of it for so long


class Learner:
    """Holds the open calls between batches; what it knows can be rebuilt from the store at any time."""

    def __init__(self, store: Store, table: Callable[[], RoutingTable], clock: Clock, region: str = "RU") -> None:
        self._store, self._table, self._clock, self._region = store, table, clock, region
        self._ledger = Ledger()
        self.cursor: Cursor | None = None

    async def recall(self) -> None:
        """Take up where the last transaction left off; also after one that failed."""
        async with self._store.read() as session:
            self.cursor = await session.cursor()
            self._ledger = Ledger(await session.open_rows())

    async def learn(self, rows: Iterable[Row], cursor: Cursor, rejected: Sequence[RejectedRow] = ()) -> None:
        """Take a batch. After an exception nothing of it was kept: `recall`, then read it again."""
        for row in rows:
            self._ledger.add(row)
        groups, absorbed = self._ledger.take_touched()
        calls = [call for group in groups for call in fold(group.rows)]
        async with self._store.write() as session:
            await self._write(session, calls)
            still_open = {group.id: group.rows for group in groups if not group.over}
            await session.save_open_rows(still_open, [*absorbed, *(g.id for g in groups if g.over)])
            await session.set_aside(rejected)
            await session.set_cursor(cursor)
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
            await session.save_open_rows({}, [group.id for group in dead])
        for call in calls:
            log.warning("call_cut", linkedid=call.id, caller=masked(call.caller))
        return len(dead)

    async def hold(self, linkedid: str, channel: str, at: datetime, *, held: bool) -> None:
        """A phone put the other side on hold, or came back: the one fact that Asterisk does not write down."""
        async with self._store.write() as session:
            await session.hold(linkedid, channel, at, held=held)

    async def _write(self, session: Session, calls: Sequence[Call]) -> None:
        if not calls:
            return
        known = await session.ended_calls([call.id for call in calls])  # a journal read again teaches nothing
        calls = await self._enrich(session, [call for call in calls if call.id not in known])
        ended = [call for call in calls if call.state is State.ENDED]
        now = self._clock()
        await session.save_calls(calls)
        await session.set_tag(*(tag for call in ended for tag in tags_by_rule(call, now)))
        await session.save_recordings([r for call in ended for r in _recordings(call, now)])
        await session.add_deliveries(await _deliveries(session, ended, now))

    async def _enrich(self, session: Session, calls: Sequence[Call]) -> list[Call]:
        table = self._table()
        numbers = [table.number(call.did) for call in calls]
        moments = [(n.e164 if n else "", call.arrived_at) for n, call in zip(numbers, calls, strict=True)]
        leases = await session.last_leases(moments)
        holds = await session.holds([call.id for call in calls])
        enriched = []
        for call, number, lease in zip(calls, numbers, leases, strict=True):
            judged = attribute(number, lease, call.arrived_at)
            site = table.sites.get(number.site_id) if number else None
            mine = [(start, end) for linkedid, start, end in holds if linkedid == call.id]
            enriched.append(
                replace(
                    call,
                    number=number.e164 if number else None,
                    site_id=site.id if site else None,
                    caller=caller_number(call.caller_raw, site.region if site else self._region),
                    hold_seconds=_held(call, mine, self._clock()),
                    verdict=judged.verdict,
                    lease_id=judged.lease.id if judged.lease else None,
                    visitor_id=judged.lease.visitor_id if judged.lease else None,
                    visit_id=judged.lease.visit_id if judged.lease else None,
                )
            )
        return enriched


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
        due_at=now,
    )
    return [recording]


async def _deliveries(session: Session, ended: Sequence[Call], now: datetime) -> list[Delivery]:
    if not ended:
        return []
    webhooks = await session.find(Webhook, active=True)
    deliveries = []
    for call in ended if webhooks else ():
        visitor = await session.peek(Visitor, call.visitor_id) if call.visitor_id else None
        visit = await session.peek(Visit, call.visit_id) if call.visit_id else None
        body = call_body(call, visitor, visit)
        for webhook in webhooks:
            if webhook.site_id in {None, call.site_id}:
                kind = DeliveryKind.CALL_ENDED
                deliveries.append(announce(webhook, kind, call.id, body, id=uuid.uuid4().hex, now=now))
    return deliveries
