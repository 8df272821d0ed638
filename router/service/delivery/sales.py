"""Stores sales and sends them to the analytics services that got the call."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from router.domain.calls.call import Call, State
from router.domain.delivery.connection import Connection
from router.domain.delivery.delivery import Delivery, DeliveryKind, new_delivery
from router.domain.delivery.receiver_kind import ReceiverKind, identifiers
from router.domain.delivery.sale import Sale, sale_id
from router.domain.ids import new_id
from router.errors import Conflict, InvalidInput
from router.service.delivery.outbox import call_bodies
from router.service.ports import Session, Store

SKEW = timedelta(minutes=1)  # the reporting system's clock may be ahead by this much


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleReceipt:
    """A stored sale."""

    call_id: str
    value: float
    currency: str
    at: datetime
    sent_to: tuple[str, ...]  # the connections that it is sent to


async def tell_sale(
    store: Store, call_id: str, *, value: float, currency: str, at: datetime | None, now: datetime
) -> SaleReceipt:
    """Store a sale and send it to every analytics connection of the call's site, once.

    Raises `NotFound`; `Conflict` for an ongoing call, and for another sale of the same moment;
    `InvalidInput`.
    """
    at = (at or now).astimezone(UTC)
    async with store.write() as session:
        await session.calls.touch(call_id)  # first, as a lock against the same concurrent request
        call = await session.get(Call, call_id)
        _check(call, at, now)
        await _keep(session, call_id, value, currency, at, now)
        receivers = await _send(session, call, value, currency, at, now)
    return SaleReceipt(
        call_id=call_id, value=value, currency=currency, at=at, sent_to=_names(receivers)
    )


async def _keep(
    session: Session, call_id: str, value: float, currency: str, at: datetime, now: datetime
) -> None:
    """Add the sale, unless it exists. Raises `Conflict` for a different one of the same moment."""
    sale = Sale(
        id=sale_id(call_id, at),
        call_id=call_id,
        value=value,
        currency=currency,
        at=at,
        created_at=now,
    )
    known = await session.peek(Sale, sale.id)
    if known is None:
        await session.add(sale)
    elif (known.value, known.currency) != (value, currency):
        moment = at.isoformat(timespec="milliseconds")
        raise Conflict(
            f"A sale at {moment} with another value is already stored: use another time."
        )


async def _send(
    session: Session, call: Call, value: float, currency: str, at: datetime, now: datetime
) -> list[Connection]:
    """Add a delivery for each connection that can use the sale, unless it exists."""
    sale = {"value": value, "currency": currency, "at": at.isoformat(timespec="milliseconds")}
    body = {**(await call_bodies(session, [call]))[call.id], "sale": sale}
    known, receivers = identifiers(body), list[Connection]()
    deliveries = []

    for connection in await session.find(Connection, active=True):
        kind = session.receiver_kinds.of(connection)
        if connection.site_id not in {None, call.site_id} or not kind.analytics:
            continue
        if kind.can_use(connection, known):
            receivers.append(connection)
            deliveries.append(_delivery(connection, kind, call, body, at, now))

    await session.deliveries.add(deliveries)
    return receivers


def _check(call: Call, at: datetime, now: datetime) -> None:
    if call.state is not State.ENDED:
        raise Conflict("This call has not ended: report its sale afterwards.")
    if not call.arrived_at <= at <= now + SKEW:
        raise InvalidInput(f"at is {at.isoformat()}: a sale is made after its call and before now")


def _delivery(
    receiver: Connection,
    kind: ReceiverKind,
    call: Call,
    body: dict[str, Any],
    at: datetime,
    now: datetime,
) -> Delivery:
    delivery = new_delivery(
        receiver,
        DeliveryKind.SALE_MADE,
        call.id,
        body,
        id=new_id(now),
        now=now,
        mark=body["sale"]["at"],
    )
    return replace(
        delivery,
        stream=call.id,  # after the call itself
        event_at=max(at, call.arrived_at + timedelta(milliseconds=1)),
        due_at=kind.due(max(at, now)),
        deadline_at=kind.sale_deadline(call.arrived_at, at),
    )


def _names(receivers: Sequence[Connection]) -> tuple[str, ...]:
    return tuple(sorted(receiver.id for receiver in receivers))
