"""What a person does to a delivery: sends it once more, or says which entity is meant.

What is under way just now is left alone: a second attempt beside it could do the same twice.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from router.domain.connection import CUT_OFFS, Connection, recovered
from router.domain.delivery import Delivery, DeliveryState, choose, resend
from router.domain.entity import Ref
from router.errors import Conflict
from router.service.deliveries import touch
from router.service.ports import Session, Store

AT_ONCE = 100  # looked at together


async def resend_delivery(store: Store, delivery_id: str, now: datetime) -> Delivery:
    """Send once more by hand, under the same key. Raises `NotFound`."""
    async with store.write() as session:
        return await _again(session, delivery_id, now, lambda delivery: resend(delivery, now))


async def choose_entity(store: Store, delivery_id: str, ref: Ref, now: datetime) -> Delivery:
    """A person says which entity is the call's. Raises `NotFound`, and `Conflict` for what waits for nobody."""

    def chosen(delivery: Delivery) -> Delivery:
        if delivery.state is not DeliveryState.UNDECIDED:
            raise Conflict(f"This delivery is {delivery.state}: it waits for nobody's decision.")
        return choose(delivery, ref, now)

    async with store.write() as session:
        return await _again(session, delivery_id, now, chosen)


async def resend_dead(store: Store, now: datetime) -> int:
    """Send once more everything that was given up; how many there were."""
    count, before = 0, None
    while True:
        async with store.read() as session:
            dead = await session.deliveries(state=DeliveryState.DEAD, before=before, limit=AT_ONCE)
        for delivery in dead:
            await resend_delivery(store, delivery.id, now)
        count += len(dead)
        if len(dead) < AT_ONCE:
            return count
        before = dead[-1].created_at, dead[-1].id  # what is given up again meanwhile is not sent a third time


async def _again(session: Session, delivery_id: str, now: datetime, anew: Callable[[Delivery], Delivery]) -> Delivery:
    """Read it under the locks that whoever settles it takes too, in the same order."""
    receiver_id = (await session.get(Delivery, delivery_id)).receiver_id
    account = await session.lock_account(receiver_id, now)
    before = await session.get(Delivery, delivery_id)
    await touch(session, before)
    before = await session.get(Delivery, delivery_id)
    if before.claimed_until is not None and before.claimed_until > now:
        return before
    delivery = anew(before)
    connection = await session.peek(Connection, receiver_id)
    if connection is not None and connection.kind in CUT_OFFS:  # nobody can put that off
        delivery = replace(delivery, deadline_at=before.deadline_at)
    await session.save_account(recovered(account, now))
    await session.change(delivery)
    return delivery
