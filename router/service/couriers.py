"""Sends each delivery by its receiver's kind: webhooks are posted, CRMs annotated, analytics told in batches."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from router.domain.annotation import CallTold, read_call
from router.domain.call import CallFilter
from router.domain.connection import Connection, Mode
from router.domain.delivery import Delivery, DeliveryKind, Webhook
from router.domain.entity import Entity, Maker, Ref
from router.service.annotating import annotate
from router.service.crm import Crm
from router.service.deliveries import Courier, Receiver, Refused, Taken
from router.service.ports import Store

MOST_CALLS = 200  # of one phone while we wait for its entity
RECENT = timedelta(minutes=10)  # for so long a CRM's own search may not know what we created


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One event for an analytics service: a call, or the sale that came of it."""

    call: CallTold
    key: str  # the same on every attempt
    sale: Mapping[str, Any] = field(default_factory=dict)  # value, currency, at; empty: the call itself

    @property
    def at(self) -> datetime:
        """When it happened."""
        return datetime.fromisoformat(self.sale["at"]) if self.sale else self.call.arrived_at


class Analytics(Protocol):
    """One account at an analytics service."""

    async def send(self, events: Sequence[Told]) -> Taken:
        """Tell of these; the receipt. Raises `ReceiverUnavailable` and `Refused`."""
        ...


class Openings(Protocol):
    """Where adapters come from."""

    def open(self, connection: Connection) -> Crm | Analytics:
        """The adapter of a connection. Raises `ReceiverUnavailable` while it has no token."""
        ...

    def most(self, connection: Connection) -> int:
        """How many deliveries one request may carry."""
        ...


class Couriers:
    """The `Courier` of `deliver_due`."""

    def __init__(
        self,
        store: Store,
        webhooks: Courier,
        accounts: Openings,
        pages: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._store, self._webhooks, self._accounts, self._pages, self._clock = store, webhooks, accounts, pages, clock

    def most(self, receiver: Receiver) -> int:
        """Only analytics take many at once."""
        return self._accounts.most(receiver) if isinstance(receiver, Connection) else 1

    async def take(self, deliveries: Sequence[Delivery], receiver: Receiver) -> Taken:
        """See the port."""
        if isinstance(receiver, Webhook):
            return await self._webhooks.take(deliveries, receiver)
        account: Any = self._accounts.open(receiver)
        if hasattr(account, "send"):
            return await self._send(account, deliveries)
        return await self._annotate(account, deliveries[0], receiver)

    async def _send(self, account: Analytics, deliveries: Sequence[Delivery]) -> Taken:
        events, unreadable = [], {}
        for delivery in deliveries:
            try:
                events.append(self._event(delivery))
            except Refused as error:  # the others can still go
                unreadable[delivery.key] = str(error)
        taken = await account.send(events) if events else Taken(said="nothing to send")
        return replace(taken, refused={**taken.refused, **unreadable})

    async def _annotate(self, crm: Crm, delivery: Delivery, connection: Connection) -> Taken:
        call = self._event(delivery).call
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
            next_at=await self._next_call(connection, call),
        )
        return Taken(said=done.said, entities=done.entities, client_id=done.client_id)

    async def _recent(self, connection: Connection, call: CallTold) -> list[Ref]:
        if call.caller is None:
            return []
        async with self._store.glance() as session:
            kept = await session.recent_entities(connection.id, call.caller, self._clock() - RECENT)
        return [one.ref for one in kept if one.call_id != call.id and one.maker is Maker.US]

    async def _kept(self, connection: Connection, call: CallTold) -> list[Entity]:
        async with self._store.glance() as session:
            return await session.find(Entity, call_id=call.id, connection_id=connection.id)

    async def _next_call(self, connection: Connection, call: CallTold) -> datetime | None:
        """When the same phone called again while the telephony may still create something for this call."""
        if call.caller is None or connection.mode is Mode.OWN:
            return None
        until = call.ended_at + timedelta(seconds=connection.rules.wait)
        since = call.ended_at + timedelta(microseconds=1)
        wanted = CallFilter(site_id=connection.site_id, caller=call.caller, since=since, until=until)
        async with self._store.read() as session:
            later = await session.calls(wanted, limit=MOST_CALLS)
        return later[-1].arrived_at if later else None

    async def _others(self, connection: Connection, call: CallTold, refs: Sequence[Ref]) -> set[Ref]:
        """Those of these entities that belong to other calls."""
        found = set()
        async with self._store.glance() as session:
            for ref in refs:
                place = {"connection_id": connection.id, "kind": ref.kind, "external_id": ref.id}
                if any(one.call_id != call.id for one in await session.find(Entity, **place)):
                    found.add(ref)
        return found

    def _event(self, delivery: Delivery) -> Told:
        try:
            call = read_call(delivery.payload, self._pages)
        except (KeyError, TypeError, ValueError) as error:
            raise Refused(f"the payload of this delivery cannot be read: {error!r}") from error
        sale = delivery.payload.get("sale", {}) if delivery.kind is DeliveryKind.SALE_MADE else {}
        return Told(call=call, key=delivery.key, sale=sale)
