"""Carries out what has to be told to other systems: claimed, sent, and its outcome written down."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from router.domain.delivery import Delivery, DeliveryState, Webhook, fail, resend, succeed
from router.errors import DatabaseUnavailable, NotFound, ReceiverUnavailable
from router.service.ports import Session, Store

log = structlog.get_logger()

AT_ONCE = 8  # deliveries under way together
RESENT_AT_ONCE = 100  # in one transaction: other writers wait no longer
CLAIM = timedelta(seconds=60)  # a worker that dies in the middle gives its deliveries back after this


class Refused(Exception):
    """The receiver will never take this, however often it is sent."""


class Courier(Protocol):
    """Takes one delivery to its receiver; returns the receipt.

    Raises `ReceiverUnavailable` when trying again may help, `Refused` when it cannot.
    """

    async def take(self, delivery: Delivery, webhook: Webhook) -> str: ...


async def deliver_due(
    store: Store, courier: Courier, clock: Callable[[], datetime], *, receiver_id: str | None = None
) -> int:
    """Make the deliveries that are due now, of one receiver or of all; how many there were."""
    async with store.write() as session:
        due = await session.due_deliveries(clock(), AT_ONCE, receiver_id)
        await session.change(*(replace(delivery, due_at=clock() + CLAIM) for delivery in due))
        webhooks = await session.get_many(Webhook, {delivery.receiver_id for delivery in due})
    async with asyncio.TaskGroup() as tasks:
        for delivery in due:
            tasks.create_task(_deliver(store, courier, clock, delivery, webhooks.get(delivery.receiver_id)))
    return len(due)


async def _deliver(
    store: Store, courier: Courier, clock: Callable[[], datetime], delivery: Delivery, webhook: Webhook | None
) -> None:
    outcome = await _attempt(courier, clock, delivery, webhook)
    try:
        async with store.write() as session:
            await _settle(session, delivery, outcome)
    except DatabaseUnavailable as error:  # the claim gives it back; others go on
        log.warning("delivery_not_settled", key=delivery.key, reason=error.message)
        return
    log.info(
        "delivery_made" if outcome.state is DeliveryState.DONE else "delivery_failed",
        linkedid=delivery.call_id,
        key=delivery.key,
        receiver=delivery.receiver_id,
        attempt=outcome.attempts,
        state=outcome.state,
        error=outcome.last_error,
    )


async def _attempt(
    courier: Courier, clock: Callable[[], datetime], delivery: Delivery, webhook: Webhook | None
) -> Delivery:
    if webhook is None or not webhook.active:
        return fail(delivery, f"the receiver '{delivery.receiver_id}' was removed", clock(), final=True)
    try:
        return succeed(delivery, await courier.take(delivery, webhook), clock())
    except ReceiverUnavailable as error:
        return fail(delivery, error.message, clock())
    except Refused as error:
        return fail(delivery, str(error), clock(), final=True)


async def _settle(session: Session, delivery: Delivery, outcome: Delivery) -> None:
    await session.change(outcome)
    await _touch(session, delivery)


async def _touch(session: Session, delivery: Delivery) -> None:
    if delivery.call_id is None:
        return
    try:
        await session.touch_call(delivery.call_id)
    except NotFound:
        log.warning("delivery_without_call", key=delivery.key)


async def list_deliveries(
    store: Store, *, state: DeliveryState | None = None, call_id: str | None = None, limit: int = 50
) -> list[Delivery]:
    """Deliveries, the newest first."""
    async with store.read() as session:
        return await session.deliveries(state=state, call_id=call_id, limit=limit)


async def resend_delivery(store: Store, delivery_id: str, now: datetime) -> Delivery:
    """Send once more by hand, under the same key. Raises `NotFound`."""
    async with store.write() as session:
        delivery = resend(await session.get(Delivery, delivery_id), now)
        await session.change(delivery)
        if delivery.call_id is not None:
            await session.touch_call(delivery.call_id)
    return delivery


async def show_delivery(store: Store, delivery_id: str) -> Delivery:
    """One delivery. Raises `NotFound`."""
    async with store.read() as session:
        return await session.get(Delivery, delivery_id)


async def resend_dead(store: Store, now: datetime) -> int:
    """Send once more everything that was given up; how many there were."""
    count = 0
    while True:
        async with store.write() as session:
            dead = await session.deliveries(state=DeliveryState.DEAD, limit=RESENT_AT_ONCE)
            await session.change(*(resend(delivery, now) for delivery in dead))
            for delivery in dead:
                await _touch(session, delivery)
        count += len(dead)
        if len(dead) < RESENT_AT_ONCE:
            return count
