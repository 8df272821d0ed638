"""Manual actions on deliveries: resend, choose the entity, dismiss. A delivery that is being sent
is not touched, because a second attempt could repeat it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from router.domain.delivery.connection import Connection, recovered
from router.domain.delivery.delivery import Delivery, DeliveryState, choose, dismiss, resend
from router.domain.delivery.entity import Ref
from router.errors import Conflict
from router.service.delivery.dispatch import touch
from router.service.ports import Session, Store

AT_ONCE = 100  # per transaction


async def resend_delivery(store: Store, delivery_id: str, now: datetime) -> Delivery:
    """Resend with the same key. Raises `NotFound`."""
    async with store.write() as session:
        return await _again(session, delivery_id, now, lambda delivery: resend(delivery, now))


async def choose_entity(store: Store, delivery_id: str, ref: Ref, now: datetime) -> Delivery:
    """Choose the call's entity. Raises `NotFound`, and `Conflict` if it needs no review."""

    def chosen(delivery: Delivery) -> Delivery:
        if delivery.state is not DeliveryState.NEEDS_REVIEW:
            raise Conflict(f"This delivery is {delivery.state}: it needs no review.")
        return choose(delivery, ref, now)

    async with store.write() as session:
        return await _again(session, delivery_id, now, chosen)


async def drop_delivery(store: Store, delivery_id: str, now: datetime) -> Delivery:
    """Dismiss a delivery, whatever becomes known later. Raises `NotFound` and `Conflict`."""
    async with store.write() as session:
        delivery = await locked(session, delivery_id, now)
        if delivery.state is DeliveryState.DONE:
            raise Conflict("This delivery is done: it cannot be dismissed.")
        if is_under_way(delivery, now):
            raise Conflict("This delivery is being sent now: try again in a minute.")
        dismissed = dismiss(delivery)
        await session.change(dismissed)
        return dismissed


async def resend_failed(store: Store, now: datetime) -> int:
    """Resend all failed deliveries; returns their number."""
    count, before = 0, None
    while True:
        async with store.read() as session:
            failed = await session.deliveries.find(
                state=DeliveryState.FAILED, before=before, limit=AT_ONCE
            )
        for delivery in failed:
            await resend_delivery(store, delivery.id, now)
        count += len(failed)
        if len(failed) < AT_ONCE:
            return count
        # deliveries that fail again meanwhile are not sent a third time
        before = (
            failed[-1].created_at,
            failed[-1].id,
        )


async def _again(
    session: Session, delivery_id: str, now: datetime, change: Callable[[Delivery], Delivery]
) -> Delivery:
    before = await locked(session, delivery_id, now)
    if is_under_way(before, now):
        return before
    return await again(session, before, now, change)


async def again(
    session: Session, before: Delivery, now: datetime, change: Callable[[Delivery], Delivery]
) -> Delivery:
    """Send a delivery again that `locked` returned; its receiver is no longer paused."""
    delivery = change(before)
    connection = await session.peek(Connection, before.receiver_id)
    if connection is not None and session.receiver_kinds.of(connection).analytics:
        # the service sets this limit
        delivery = replace(delivery, deadline_at=before.deadline_at)
    health = await session.receivers.lock(before.receiver_id, now)
    await session.receivers.save(recovered(health, now))
    await session.change(delivery)
    return delivery


async def locked(session: Session, delivery_id: str, now: datetime) -> Delivery:
    """Read with the locks that dispatch takes, in the same order."""
    before = await session.get(Delivery, delivery_id)
    await session.receivers.lock(before.receiver_id, now)
    await touch(session, before)
    return await session.get(Delivery, delivery_id)


def is_under_way(delivery: Delivery, now: datetime) -> bool:
    """Whether a worker is sending it."""
    return delivery.claimed_until is not None and delivery.claimed_until > now
