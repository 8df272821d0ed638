"""Enqueues calls whose qualification changed after they were sent."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from router.domain.calls.call import Call
from router.domain.delivery.connection import Connection
from router.domain.delivery.delivery import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    Webhook,
    new_delivery,
)
from router.domain.ids import new_id
from router.service.delivery.outbox import Body, call_bodies
from router.service.ports import Session

LATEST = timedelta(days=30)  # after a call: what a rule makes of older ones is no news
MOST = 200  # deliveries of one call
_OF_CALL = {DeliveryKind.CALL_ENDED, DeliveryKind.CALL_QUALIFIED}


async def enqueue_qualified(session: Session, call_ids: Sequence[str], now: datetime) -> None:
    """Enqueue what these calls count as now, for the webhooks and analytics that they were sent to.
    A call that is just ending was sent to none yet: it goes there as it is.
    """
    if not call_ids:
        return
    receivers = await _receivers(session)
    if not receivers:
        return
    calls = list((await session.get_many(Call, call_ids)).values())
    bodies = await call_bodies(session, calls)
    for call in calls:
        await _enqueue(session, call, bodies[call.id], receivers, now)


async def _receivers(session: Session) -> list[Webhook | Connection]:
    connections = await session.find(Connection, active=True)
    analytics = [one for one in connections if session.receiver_kinds.of(one).analytics]
    return [*await session.find(Webhook, active=True), *analytics]


async def _enqueue(
    session: Session,
    call: Call,
    body: Body,
    receivers: Sequence[Webhook | Connection],
    now: datetime,
) -> None:
    known = await session.deliveries.find(call_id=call.id, limit=MOST)
    known = [delivery for delivery in known if delivery.kind in _OF_CALL]
    sent_to = {delivery.receiver_id for delivery in known}
    unsent = set()
    for delivery in known:
        if delivery.state is DeliveryState.PENDING and delivery.receipt is None:
            unsent.add(delivery.receiver_id)

    for receiver in receivers:
        delivery = _delivery(session, receiver, call, body, now)
        if receiver.id not in sent_to or delivery.deadline_at <= now:
            continue
        if isinstance(receiver, Connection) and receiver.id in unsent:
            await session.deliveries.replace_pending(delivery)
        else:
            await session.deliveries.add([delivery])


def _delivery(
    session: Session, receiver: Webhook | Connection, call: Call, body: Body, now: datetime
) -> Delivery:
    mark, key = now.isoformat(), new_id(now)
    delivery = new_delivery(
        receiver, DeliveryKind.CALL_QUALIFIED, call.id, body, id=key, now=now, mark=mark
    )
    ended_at = call.ended_at or call.arrived_at
    if isinstance(receiver, Webhook):
        over = ended_at + LATEST
        if over > now:
            return delivery
        return replace(delivery, deadline_at=over)
    kind = session.receiver_kinds.of(receiver)
    return replace(
        delivery,
        stream=call.id,
        event_at=call.arrived_at,
        due_at=kind.due(now),
        deadline_at=ended_at + kind.cut_off,
    )
