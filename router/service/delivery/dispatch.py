"""Sends deliveries: claims, sends and stores the outcome. A failing receiver is paused and does not
delay others. After a crash a delivery is claimed again when the claim expires; receivers
recognise its key.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from router.domain.delivery.codes import SendingCode
from router.domain.delivery.connection import Connection
from router.domain.delivery.delivery import (
    Delivery,
    DeliveryState,
    Webhook,
    fail,
)
from router.domain.delivery.limits import hopeless
from router.domain.delivery.outcome import Outcome, request_of
from router.errors import DatabaseUnavailable, InvalidInput, NotFound
from router.service.clock import Clock
from router.service.delivery.attempt import Attempt, attempt, keep_health
from router.service.delivery.entities import keep_entities
from router.service.delivery.outcomes import Receiver, Sender, SendResult
from router.service.ids import by_id
from router.service.ports import Session, Store
from router.service.settling import keep_at_it

log = structlog.get_logger()

AT_ONCE = 8  # concurrent deliveries
# claims of a dead worker expire after this
CLAIM = timedelta(seconds=60)
# one delivery may need several requests, at the account's rate limit
LONG_CLAIM = timedelta(minutes=5)


async def deliver_due(
    store: Store, sender: Sender, clock: Clock, *, receiver_id: str | None = None
) -> int:
    """Send the deliveries that are due, of one receiver or of all; returns their number."""
    due, receivers = await _claim(store, sender, clock, receiver_id)
    async with asyncio.TaskGroup() as tasks:
        for group in _grouped(due, receivers, sender):
            tasks.create_task(
                _deliver(store, sender, clock, group, receivers.get(group[0].receiver_id))
            )
    return len(due)


async def _claim(
    store: Store, sender: Sender, clock: Clock, receiver_id: str | None
) -> tuple[list[Delivery], dict[str, Receiver]]:
    async with store.write() as session:
        receivers: dict[str, Receiver] = {}
        most = AT_ONCE
        if receiver_id is not None:
            receivers = await _receivers(session, {receiver_id})
            most = await _room(session, sender, receiver_id, receivers, clock())
        due = list[Delivery]()
        if most:
            due += await session.deliveries.due(clock(), most, receiver_id)
        if receiver_id is None:
            receivers = await _receivers(session, {delivery.receiver_id for delivery in due})
        for delivery in due:
            claim = CLAIM
            if isinstance(receivers.get(delivery.receiver_id), Connection):
                claim = LONG_CLAIM

            until = clock() + claim
            await session.change(replace(delivery, due_at=until, claimed_until=until))
    return due, receivers


async def _receivers(session: Session, ids: set[str]) -> dict[str, Receiver]:
    webhooks: dict[str, Receiver] = {**await session.get_many(Webhook, ids)}
    return webhooks | await session.get_many(Connection, ids)


async def _room(
    session: Session,
    sender: Sender,
    receiver_id: str,
    receivers: dict[str, Receiver],
    now: datetime,
) -> int:
    """How many deliveries may be sent together: none while the receiver is paused, one to test
    it.
    """
    health = await session.receivers.lock(receiver_id, now)
    if health.paused_until > now:
        return 0
    if health.failures:
        return 1
    return max(AT_ONCE, _batch(sender, receivers.get(receiver_id)))


def _batch(sender: Sender, receiver: Receiver | None) -> int:
    """How many deliveries one request may hold."""
    if receiver is None:
        return 1
    return sender.most(receiver)


def _grouped(
    due: Sequence[Delivery], receivers: dict[str, Receiver], sender: Sender
) -> list[list[Delivery]]:
    groups: list[list[Delivery]] = []
    last: list[Delivery] = []
    for delivery in due:
        room = _batch(sender, receivers.get(delivery.receiver_id))
        alike = last and _request(last[0]) == _request(delivery)
        if alike and len(last) < room:
            last.append(delivery)
        else:
            last = [delivery]
            groups.append(last)
    return groups


def _request(delivery: Delivery) -> tuple[str, Outcome | None]:
    """The key of deliveries that are sent together."""
    return delivery.receiver_id, request_of(delivery.receipt)


async def _deliver(
    store: Store,
    sender: Sender,
    clock: Clock,
    deliveries: Sequence[Delivery],
    receiver: Receiver | None,
) -> None:
    kinds = store.receiver_kinds
    reasons = {delivery.id: hopeless(delivery, receiver, kinds, clock()) for delivery in deliveries}
    given_up = {key: why for key, why in reasons.items() if why}
    outcomes = []
    for delivery in deliveries:
        if delivery.id in given_up:
            outcomes.append(fail(delivery, given_up[delivery.id], clock(), final=True))

    rest = [delivery for delivery in deliveries if delivery.id not in given_up]
    tried = Attempt()
    try:
        if receiver is not None and rest:
            tried = await attempt(sender, clock, rest, receiver)
            outcomes += tried.outcomes
        once = isinstance(receiver, Connection) and kinds.of(receiver).analytics
        await keep_at_it(lambda: _keep(store, deliveries, tried, outcomes, clock(), once=once))
    except DatabaseUnavailable as error:  # the claim expires; others go on
        log.warning("delivery_not_settled", key=deliveries[0].key, reason=error.message)
        return
    except InvalidInput as error:  # their answer cannot be stored
        log.warning("delivery_answer_not_kept", key=deliveries[0].key, reason=error.message)
        await _give_up(
            store,
            deliveries,
            Outcome.of(SendingCode.UNSTORABLE_ANSWER, detail=error.message),
            clock(),
        )
        return
    for outcome in outcomes:
        log.info(
            _happened(outcome),
            linkedid=outcome.call_id,
            key=outcome.key,
            receiver=outcome.receiver_id,
            attempt=outcome.attempts,
            state=outcome.state,
            error=outcome.last_error and str(outcome.last_error),
        )


def _happened(outcome: Delivery) -> str:
    if outcome.state is DeliveryState.DONE:
        return "delivery_made"
    if outcome.receipt and not outcome.last_error:
        return "delivery_taken"
    return "delivery_failed"


async def _keep(
    store: Store,
    deliveries: Sequence[Delivery],
    tried: Attempt,
    outcomes: Sequence[Delivery],
    now: datetime,
    *,
    once: bool,
) -> None:
    """Write down what came of an attempt."""
    before = by_id(deliveries)
    async with store.write() as session:
        await keep_health(session, deliveries[0].receiver_id, tried, now)
        for outcome in outcomes:
            await _settle(session, before[outcome.id], outcome, tried.sent, now, once=once)


async def _give_up(
    store: Store, deliveries: Sequence[Delivery], why: Outcome, now: datetime
) -> None:
    with suppress(DatabaseUnavailable):
        async with store.write() as session:
            for delivery in deliveries:
                await _settle(
                    session, delivery, fail(delivery, why, now, final=True), None, now, once=False
                )


async def _settle(
    session: Session,
    delivery: Delivery,
    outcome: Delivery,
    sent: SendResult | None,
    now: datetime,
    *,
    once: bool,
) -> None:
    """Store an outcome; `once`: do not send again, even with a later fact."""
    # first, because ingest locks revisions before deliveries
    await touch(session, delivery)
    if once and (outcome.state is DeliveryState.DONE or outcome.receipt):
        await session.change(outcome)
    elif not await session.deliveries.settle(delivery, outcome):
        # a later fact came meanwhile: send it when the claim ends
        log.info("delivery_overtaken", key=delivery.key)
    if sent is not None and delivery.call_id is not None:
        named = []
        for ref, created_by in sent.entities:
            client_id = sent.client_id
            if ref in sent.without:
                client_id = None
            named.append((ref, created_by, client_id))

        await keep_entities(session, delivery.call_id, delivery.receiver_id, named, now)


async def touch(session: Session, delivery: Delivery) -> None:
    """Mark its call as changed for live pages."""
    if delivery.call_id is None:
        return
    try:
        await session.calls.touch(delivery.call_id)
    except NotFound:
        log.warning("delivery_without_call", key=delivery.key)


async def list_deliveries(
    store: Store, *, state: DeliveryState | None = None, call_id: str | None = None, limit: int = 50
) -> list[Delivery]:
    """Deliveries, newest first."""
    async with store.read() as session:
        return await session.deliveries.find(state=state, call_id=call_id, limit=limit)


async def show_delivery(store: Store, delivery_id: str) -> Delivery:
    """One delivery. Raises `NotFound`."""
    async with store.read() as session:
        return await session.get(Delivery, delivery_id)
