"""Carries out what has to be told to other systems: claimed, sent, and its outcome written down.

Who does not answer is left in peace for a while, and costs the others nothing. What a crash interrupts is claimed
again when the claim runs out; receivers know our keys, so that nothing is done twice.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from router.domain.connection import Connection, failed, recovered
from router.domain.delivery import (
    Delivery,
    DeliveryState,
    Webhook,
    choose,
    fail,
    leave_to_person,
    postpone,
    resend,
    succeed,
)
from router.domain.entity import Found, Maker, Ref
from router.errors import Conflict, DatabaseUnavailable, NotFound, ReceiverUnavailable
from router.service.entities import keep_entities
from router.service.ports import Session, Store

log = structlog.get_logger()

AT_ONCE = 8  # deliveries under way together
RESENT_AT_ONCE = 100  # in one transaction: other writers wait no longer
CLAIM = timedelta(seconds=60)  # a worker that dies in the middle gives its deliveries back after this
LONG_CLAIM = timedelta(minutes=5)  # an account is asked several times for one delivery, at the pace it allows
LONGEST_ATTEMPT = 240.0  # seconds; before the claim ends, or two would do the same

Receiver = Webhook | Connection
Clock = Callable[[], datetime]


class Refused(Exception):
    """The receiver will never take this, however often it is sent."""


class NotYet(Exception):
    """What the delivery waits for is not there yet; look again after the pause."""

    def __init__(self, reason: str, pause: timedelta) -> None:
        super().__init__(reason)
        self.pause = pause


class Undecided(Exception):
    """Only a person can say which of these entities is meant."""

    def __init__(self, reason: str, candidates: tuple[Found, ...]) -> None:
        super().__init__(reason)
        self.candidates = candidates


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A receipt: what the receiver said, and the entities that belong to the call from now on."""

    said: str
    entities: tuple[tuple[Ref, Maker], ...] = ()
    client_id: str | None = None
    refused: Mapping[str, str] = field(default_factory=dict)  # of several: the keys of those not taken, and why


class Courier(Protocol):
    """Takes deliveries of one receiver, often one alone; an outcome for each: the receipt, or what went wrong.

    Raises `ReceiverUnavailable` when trying again may help, `Refused` when it cannot, `NotYet` and `Undecided`.
    """

    def most(self, receiver: Receiver) -> int:
        """How many deliveries one request may carry."""
        ...

    async def take(self, deliveries: Sequence[Delivery], receiver: Receiver) -> Taken: ...


async def deliver_due(store: Store, courier: Courier, clock: Clock, *, receiver_id: str | None = None) -> int:
    """Make the deliveries that are due now, of one receiver or of all; how many there were."""
    due, receivers = await _claim(store, courier, clock, receiver_id)
    async with asyncio.TaskGroup() as tasks:
        for group in _grouped(due, receivers, courier):
            tasks.create_task(_deliver(store, courier, clock, group, receivers.get(group[0].receiver_id)))
    return len(due)


async def _claim(
    store: Store, courier: Courier, clock: Clock, receiver_id: str | None
) -> tuple[list[Delivery], dict[str, Receiver]]:
    async with store.write() as session:
        receivers: dict[str, Receiver] = {}
        most = AT_ONCE
        if receiver_id is not None:
            receivers = await _receivers(session, {receiver_id})
            most = await _room(session, courier, receiver_id, receivers, clock())
        due = await session.due_deliveries(clock(), most, receiver_id) if most else []
        if receiver_id is None:
            receivers = await _receivers(session, {delivery.receiver_id for delivery in due})
        for delivery in due:
            claim = LONG_CLAIM if isinstance(receivers.get(delivery.receiver_id), Connection) else CLAIM
            await session.change(replace(delivery, due_at=clock() + claim))
    return due, receivers


async def _receivers(session: Session, ids: set[str]) -> dict[str, Receiver]:
    webhooks: dict[str, Receiver] = {**await session.get_many(Webhook, ids)}
    return webhooks | await session.get_many(Connection, ids)


async def _room(
    session: Session, courier: Courier, receiver_id: str, receivers: dict[str, Receiver], now: datetime
) -> int:
    """How many deliveries may go together: none while the receiver rests, one to see whether it is back."""
    account = await session.lock_account(receiver_id, now)
    if account.paused_until > now:
        return 0
    receiver = receivers.get(receiver_id)
    return 1 if account.failures else max(AT_ONCE, courier.most(receiver) if receiver else 1)


def _grouped(due: Sequence[Delivery], receivers: dict[str, Receiver], courier: Courier) -> list[list[Delivery]]:
    groups: list[list[Delivery]] = []
    for delivery in due:
        receiver, last = receivers.get(delivery.receiver_id), groups[-1] if groups else []
        room = courier.most(receiver) if receiver else 1
        if last and last[0].receiver_id == delivery.receiver_id and len(last) < room:
            last.append(delivery)
        else:
            groups.append([delivery])
    return groups


async def _deliver(
    store: Store, courier: Courier, clock: Clock, deliveries: Sequence[Delivery], receiver: Receiver | None
) -> None:
    taken: Taken | None = None
    trouble: ReceiverUnavailable | None = None
    try:
        taken = await _attempt(courier, clock, deliveries, receiver)
        outcomes = [_taken(one, taken, clock()) for one in deliveries]
    except ReceiverUnavailable as error:
        trouble = error
        outcomes = [fail(one, error.message, clock(), least=error.pause) for one in deliveries]
    except Refused as error:
        outcomes = [fail(one, str(error), clock(), final=True) for one in deliveries]
    except NotYet as error:
        outcomes = [postpone(one, str(error), error.pause, clock()) for one in deliveries]
    except Undecided as error:
        outcomes = [leave_to_person(one, str(error), error.candidates) for one in deliveries]
    try:
        async with store.write() as session:
            await _fare(session, deliveries[0].receiver_id, trouble, clock())
            for one, outcome in zip(deliveries, outcomes, strict=True):
                await _settle(session, one, outcome, taken, clock())
    except DatabaseUnavailable as error:  # the claim gives it back; others go on
        log.warning("delivery_not_settled", key=deliveries[0].key, reason=error.message)
        return
    for outcome in outcomes:
        log.info(
            "delivery_made" if outcome.state is DeliveryState.DONE else "delivery_failed",
            linkedid=outcome.call_id,
            key=outcome.key,
            receiver=outcome.receiver_id,
            attempt=outcome.attempts,
            state=outcome.state,
            error=outcome.last_error,
        )


def _taken(delivery: Delivery, taken: Taken, now: datetime) -> Delivery:
    why = taken.refused.get(delivery.key)
    return succeed(delivery, taken.said, now) if why is None else fail(delivery, why, now, final=True)


async def _attempt(courier: Courier, clock: Clock, deliveries: Sequence[Delivery], receiver: Receiver | None) -> Taken:
    first = deliveries[0]
    if receiver is None or not receiver.active:
        raise Refused(f"the receiver '{first.receiver_id}' was removed or switched off")
    if isinstance(receiver, Connection) and any(clock() >= one.deadline_at for one in deliveries):
        raise Refused(f"too late: {receiver.kind} takes this until {first.deadline_at:%Y-%m-%d %H:%M} UTC")
    try:
        async with asyncio.timeout(LONGEST_ATTEMPT):
            return await courier.take(deliveries, receiver)
    except TimeoutError as error:
        raise ReceiverUnavailable(f"not done within {LONGEST_ATTEMPT:.0f} s") from error


async def _fare(session: Session, receiver_id: str, trouble: ReceiverUnavailable | None, now: datetime) -> None:
    account = await session.lock_account(receiver_id, now)
    if trouble is not None:
        await session.save_account(failed(account, trouble.message, now, trouble.pause))
    elif account.failures:
        await session.save_account(recovered(account, now))


async def _settle(session: Session, delivery: Delivery, outcome: Delivery, taken: Taken | None, now: datetime) -> None:
    await _touch(session, delivery)  # first: who learns of calls holds their revisions, and then wants their deliveries
    if not await session.settle(delivery, outcome):
        log.info("delivery_overtaken", key=delivery.key)  # a later fact came meanwhile: it is told when the claim ends
    if taken is not None and delivery.call_id is not None:
        refs, client_id = taken.entities, taken.client_id
        await keep_entities(session, delivery.call_id, delivery.receiver_id, refs, client_id, now)


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
        return await _again(session, resend(await session.get(Delivery, delivery_id), now), now)


async def choose_entity(store: Store, delivery_id: str, ref: Ref, now: datetime) -> Delivery:
    """A person says which entity is the call's. Raises `NotFound`, and `Conflict` for what waits for nobody."""
    async with store.write() as session:
        delivery = await session.get(Delivery, delivery_id)
        if delivery.state not in {DeliveryState.UNDECIDED, DeliveryState.DEAD}:
            raise Conflict(f"This delivery is {delivery.state}: it waits for nobody's decision.")
        return await _again(session, choose(delivery, ref, now), now)


async def _again(session: Session, delivery: Delivery, now: datetime) -> Delivery:
    account = await session.lock_account(delivery.receiver_id, now)
    await session.save_account(recovered(account, now))
    await _touch(session, delivery)
    await session.change(delivery)
    return delivery


async def show_delivery(store: Store, delivery_id: str) -> Delivery:
    """One delivery. Raises `NotFound`."""
    async with store.read() as session:
        return await session.get(Delivery, delivery_id)


async def resend_dead(store: Store, now: datetime) -> int:
    """Send once more everything that was given up; how many there were."""
    count, before = 0, None
    while True:
        async with store.write() as session:
            dead = await session.deliveries(state=DeliveryState.DEAD, before=before, limit=RESENT_AT_ONCE)
            for delivery in dead:
                await _again(session, resend(delivery, now), now)
        count += len(dead)
        if len(dead) < RESENT_AT_ONCE:
            return count
        before = dead[-1].created_at, dead[-1].id  # what is given up again meanwhile is not sent a third time
