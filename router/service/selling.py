"""Keeps what a call was worth: analytics are told of the sale, each as it was told of the call."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from router.domain.call import Call, State
from router.domain.connection import CUT_OFFS, Connection
from router.domain.delivery import Delivery, DeliveryKind, announce
from router.errors import Conflict, InvalidInput
from router.service.announcing import ANALYTICS, call_bodies, due, has_use
from router.service.ports import Store

SKEW = timedelta(minutes=1)  # the clock of whoever tells may be so much ahead of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """What a call was worth."""

    call_id: str
    value: float
    currency: str  # ISO 4217
    at: datetime
    told: tuple[str, ...]  # the connections that it goes to


async def tell_sale(
    store: Store, call_id: str, *, value: float, currency: str, at: datetime | None, now: datetime
) -> Sale:
    """Tell every analytics connection of the call's site of a sale; the same sale of the same moment is told once.

    Raises `NotFound`; `Conflict` for a call that goes on, and for another sale of that very moment; `InvalidInput`.
    """
    at = (at or now).astimezone(UTC)
    async with store.write() as session:
        await session.touch_call(call_id)  # first: whoever tells of the same at the same time waits here
        call = await session.get(Call, call_id)
        _check(call, at, now)
        sale = {"value": value, "currency": currency, "at": at.isoformat(timespec="milliseconds")}
        body = {**(await call_bodies(session, [call]))[call.id], "sale": sale}
        receivers = [
            one
            for one in await session.find(Connection, active=True)
            if one.kind in ANALYTICS and one.site_id in {None, call.site_id} and has_use(one, body)
        ]
        deliveries = [_delivery(receiver, call, body, at, now) for receiver in receivers]
        for known in await session.find(Delivery, key=deliveries[0].key) if deliveries else []:
            if known.payload.get("sale") != sale:
                raise Conflict(f"A sale of {sale['at']} was told already, of another value: name another moment.")
        await session.add_deliveries(deliveries)
    return Sale(call_id=call_id, value=value, currency=currency, at=at, told=_names(receivers))


def _check(call: Call, at: datetime, now: datetime) -> None:
    if call.state is not State.ENDED:
        raise Conflict("This call still goes on: tell of its sale when it has ended.")
    if not call.arrived_at <= at <= now + SKEW:
        raise InvalidInput(f"at is {at.isoformat()}: a sale is made after its call and before now")


def _delivery(receiver: Connection, call: Call, body: dict[str, Any], at: datetime, now: datetime) -> Delivery:
    delivery = announce(
        receiver,
        DeliveryKind.SALE_MADE,
        call.id,
        body,
        id=uuid.uuid4().hex,
        now=now,
        mark=body["sale"]["at"],
    )
    since = at if receiver.kind == "ga4" else call.arrived_at  # the others count from the visit, not from the event
    return replace(
        delivery,
        stream=call.id,  # after the call itself
        told_at=max(at, call.arrived_at + timedelta(milliseconds=1)),
        due_at=due(receiver, max(at, now)),
        deadline_at=since + CUT_OFFS[receiver.kind],
    )


def _names(receivers: Sequence[Connection]) -> tuple[str, ...]:
    return tuple(sorted(receiver.id for receiver in receivers))
