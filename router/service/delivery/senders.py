"""Sends each delivery by its receiver's kind: webhook posts, CRM updates, analytics batches."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol

from router.domain.calls.call import Recording
from router.domain.calls.call_filter import CallFilter
from router.domain.delivery.call_event import CallEvent, read_call
from router.domain.delivery.connection import Connection, Mode
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.crm_match import Window, window
from router.domain.delivery.delivery import (
    FORMER,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Webhook,
)
from router.domain.delivery.entity import CreatedBy, Entity, Ref
from router.domain.delivery.receiver_kind import ReceiverKind
from router.service.clock import Clock
from router.service.delivery.analytics import Analytics
from router.service.delivery.crm_recording import MakeLink, send_recording
from router.service.delivery.crm_update import annotate
from router.service.delivery.languages import with_language
from router.service.delivery.outcomes import NotYet, Receiver, Sender, SendResult
from router.service.delivery.ports import Crm
from router.service.delivery.send_analytics import event_of, send_events
from router.service.ports import Store

RECORDING_PAUSE = timedelta(seconds=30)  # until a recording's call is looked for again
_UNDONE = frozenset({DeliveryState.PENDING, DeliveryState.NEEDS_REVIEW})
MOST_CALLS = 200  # of one phone while waiting for its entity
MOST_EVENTS = 20  # times that a call's attribution changes
LONG_KNOWN, MOST_HAD = timedelta(days=90), 5  # of entities of earlier calls
RECENT = timedelta(minutes=10)  # a CRM's search may miss new entities for this long


class Openings(Protocol):
    """Opens adapters."""

    def open(self, connection: Connection) -> Crm | Analytics:
        """The adapter of a connection. Raises `ReceiverUnavailable` while it has no token."""
        ...


class Senders:
    """The sender for `deliver_due`."""

    def __init__(
        self,
        store: Store,
        webhooks: Sender,
        accounts: Openings,
        pages: str,
        clock: Clock,
        make_link: MakeLink,
    ) -> None:
        self._store, self._webhooks, self._accounts, self._pages, self._clock = (
            store,
            webhooks,
            accounts,
            pages,
            clock,
        )
        self._make_link = make_link

    def most(self, receiver: Receiver) -> int:
        """Only analytics services accept several at once."""
        if not isinstance(receiver, Connection):
            return 1
        return self._kind(receiver).batch

    async def send(self, deliveries: Sequence[Delivery], receiver: Receiver) -> SendResult:
        """See the port."""
        if isinstance(receiver, Webhook):
            return await self._webhooks.send(deliveries, receiver)
        account: Any = self._accounts.open(receiver)
        if self._kind(receiver).analytics:
            return await send_events(self._store, account, deliveries, receiver, self._pages)
        if deliveries[0].kind is DeliveryKind.RECORDING_READY:
            return await self._record(account, deliveries[0], receiver)
        return await self._annotate(account, deliveries[0], receiver)

    async def _record(self, crm: Crm, delivery: Delivery, connection: Connection) -> SendResult:
        """After the call itself: the record hangs on what the call became."""
        call = event_of(delivery, self._pages).call
        connection = await with_language(self._store, connection, call)
        kept = await self._kept(connection, call)
        async with self._store.read_inline() as session:
            recording = await session.peek(Recording, call.id)
            mine = await session.deliveries.find(
                call_id=call.id, receiver_id=connection.id, limit=MOST_EVENTS
            )
        waits = [other for other in mine if other.id != delivery.id and other.state in _UNDONE]
        if waits and not kept:
            raise NotYet(CrmCode.CALL_NOT_LISTED_YET, RECORDING_PAUSE)
        refs = [entity.ref for entity in kept]
        link, now = self._make_link, self._clock()
        return await send_recording(crm, connection, call, recording, refs, link, now)

    def _kind(self, connection: Connection) -> ReceiverKind:
        return self._store.receiver_kinds.of(connection)

    async def _annotate(self, crm: Crm, delivery: Delivery, connection: Connection) -> SendResult:
        call = event_of(delivery, self._pages).call
        connection = await with_language(self._store, connection, call)
        done = await annotate(
            crm,
            connection,
            call,
            looks=delivery.attempts,
            now=self._clock(),
            chosen=delivery.chosen,
            recent=await self._recent(connection, call),
            kept=await self._kept(connection, call),
            others=lambda refs: self._others(connection, call, refs),
            before=await self._before(connection, delivery),
            within=await self._window(connection, call),
            had=await self._had(connection, call),
        )
        return SendResult(
            said=done.said,
            entities=done.entities,
            client_id=done.client_id,
            without=done.without,
            fault=done.fault,
        )

    async def _recent(self, connection: Connection, call: CallEvent) -> list[Ref]:
        if call.caller is None:
            return []
        async with self._store.read_inline() as session:
            kept = await session.entities.recent(connection.id, call.caller, self._clock() - RECENT)
        made = []
        for entity in kept:
            if entity.call_id != call.id and entity.created_by is CreatedBy.US:
                made.append(entity.ref)
        return made

    async def _had(self, connection: Connection, call: CallEvent) -> list[Ref]:
        """Entities of earlier calls of this phone with the same client ID."""
        if call.caller is None or call.client_id is None or connection.mode is Mode.OWN:
            return []
        async with self._store.read_inline() as session:
            kept = await session.entities.recent(
                connection.id, call.caller, call.arrived_at - LONG_KNOWN
            )
        mine = []
        for entity in kept:
            if entity.call_id != call.id and entity.client_id == call.client_id:
                mine.append(entity)

        return list(
            dict.fromkeys(
                entity.ref for entity in sorted(mine, key=lambda entity: entity.at, reverse=True)
            )
        )[:MOST_HAD]

    async def _kept(self, connection: Connection, call: CallEvent) -> list[Entity]:
        async with self._store.read_inline() as session:
            return await session.find(Entity, call_id=call.id, connection_id=connection.id)

    async def _before(self, connection: Connection, delivery: Delivery) -> list[CallEvent]:
        """Payloads of this call that were, or may have been, sent before."""
        async with self._store.read_inline() as session:
            mine = await session.deliveries.find(
                call_id=delivery.call_id, receiver_id=connection.id, limit=MOST_EVENTS
            )
        done = []
        for other in mine:
            if (
                other.state is DeliveryState.DONE
                and other.id != delivery.id
                and other.kind is not DeliveryKind.RECORDING_READY
            ):
                done.append(other.payload)

        events = []
        for payload in [*done, *delivery.payload.get(FORMER, ())]:
            with suppress(KeyError, TypeError, ValueError):  # of another version
                events.append(read_call(payload, self._pages))
        return events

    async def _window(self, connection: Connection, call: CallEvent) -> Window:
        """The window in which the telephony may have created this call's entity, between other
        calls of the phone.
        """
        previous_end = next_at = None
        if call.caller is not None and connection.mode is Mode.TELEPHONY:
            mine = CallFilter(site_id=connection.site_id, caller=call.caller)
            until = call.ended_at + timedelta(seconds=connection.rules.wait)
            async with self._store.read_inline() as session:
                earlier = await session.calls.find(replace(mine, until=call.arrived_at), limit=1)
                later = await session.calls.find(
                    replace(mine, since=call.ended_at, until=until), limit=MOST_CALLS
                )
            previous_end = None
            if earlier and earlier[0].ended_at and earlier[0].ended_at < call.arrived_at:
                previous_end = earlier[0].ended_at

            next_at = next(
                (other.arrived_at for other in reversed(later) if other.id != call.id), None
            )
        return window(call, connection.rules, previous_end, next_at)

    async def _others(
        self, connection: Connection, call: CallEvent, refs: Sequence[Ref]
    ) -> set[Ref]:
        """Entities of other calls."""
        found = set()
        async with self._store.read_inline() as session:
            for ref in refs:
                place = {"connection_id": connection.id, "kind": ref.kind, "external_id": ref.id}
                if any(entity.call_id != call.id for entity in await session.find(Entity, **place)):
                    found.add(ref)
        return found
