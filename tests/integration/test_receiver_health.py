"""The status of a receiver is that of its last deliveries, and webhooks learn when it begins to
fail and recovers.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from router.domain.delivery.connection import FAILURES, ReceiverHealth
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.delivery import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    Webhook,
    new_delivery,
)
from router.domain.delivery.outcome import Outcome, as_json
from router.service.delivery.dispatch import deliver_due
from router.service.delivery.outcomes import Receiver, ReceiverUnavailable, Refused, SendResult
from router.store.engine import SqlStore
from tests.support.builders import NOON, Clock, webhook

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


class Sender:
    """Answers as a test wants, or raises; the webhook `admin` takes everything."""

    def __init__(self) -> None:
        self.answer: Any = SendResult(said=Outcome.text("200"))
        self.told: list[dict[str, Any]] = []

    def most(self, receiver: Receiver) -> int:
        return 1

    async def send(self, deliveries: Sequence[Delivery], receiver: Receiver) -> SendResult:
        if receiver.id == "admin":
            self.told += [delivery.payload for delivery in deliveries]
            return SendResult(said=Outcome.text("200"))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def deliver(store: SqlStore, sender: Sender, clock: Clock, count: int = 1) -> ReceiverHealth:
    """Make so many deliveries to `crm`, one after the other; its health then."""
    for _ in range(count):
        clock.move(3600)
        number = f"{clock():%H%M%S%d}"
        async with store.write() as session:
            crm = await session.get(Webhook, "crm")
            delivery = new_delivery(
                crm, DeliveryKind.CALL_ENDED, number, {}, id=number, now=clock()
            )
            await session.deliveries.add([replace(delivery, call_id=None)])
        while await deliver_due(store, sender, clock):
            pass
    async with store.read() as session:
        return await session.get(ReceiverHealth, "crm")


async def two_webhooks(store: SqlStore) -> None:
    async with store.write() as session:
        await session.add(webhook(), replace(webhook(), id="admin"))


async def test_refusals_are_counted_with_their_reason_until_one_is_taken(store: SqlStore) -> None:
    await two_webhooks(store)
    sender, clock = Sender(), Clock(NOON)
    sender.answer = Refused(Outcome.text("field X refuses 'google'"))
    health = await deliver(store, sender, clock, 12)
    assert (health.refusals, str(health.reason)) == (12, "field X refuses 'google'")
    assert health.failing

    sender.answer = SendResult(said=Outcome.text("200"))
    health = await deliver(store, sender, clock)
    assert (health.refusals, health.reason, health.failing) == (0, None, False)


async def test_a_field_that_refuses_the_client_id_is_named_though_the_deliveries_are_done(
    store: SqlStore,
) -> None:
    await two_webhooks(store)
    sender, clock = Sender(), Clock(NOON)
    fault = Outcome.of(
        CrmCode.CLIENT_ID_FIELD_REFUSES, field="X", kind="deal", reason=Outcome.text("read-only")
    )
    sender.answer = SendResult(said=Outcome.text("created deal 5"), fault=fault)
    health = await deliver(store, sender, clock, 3)
    assert (health.refusals, health.failing) == (3, True)
    assert str(health.reason) == "'X' of each deal does not take the client ID: read-only"
    assert [payload["event"] for payload in sender.told] == ["receiver.failing"]
    async with store.read() as session:
        made = await session.deliveries.find(receiver_id="crm")
    assert {delivery.state for delivery in made} == {DeliveryState.DONE}

    sender.answer = SendResult(said=Outcome.text("created deal 6"))
    assert not (await deliver(store, sender, clock)).failing


@pytest.mark.parametrize(
    "trouble",
    [
        Refused(Outcome.text("field X refuses 'google'")),
        ReceiverUnavailable(Outcome.text("the token is refused")),
    ],
)
async def test_webhooks_learn_once_that_a_receiver_fails_and_once_that_it_recovered(
    store: SqlStore, trouble: Refused | ReceiverUnavailable
) -> None:
    await two_webhooks(store)
    sender, clock = Sender(), Clock(NOON)
    sender.answer = trouble
    await deliver(store, sender, clock, FAILURES + 2)
    [failing] = sender.told
    assert failing["event"] == "receiver.failing"
    assert failing["receiver"]["id"] == "crm"
    assert failing["receiver"]["reason"] == as_json(trouble.outcome)

    sender.answer = SendResult(said=Outcome.text("200"))
    await deliver(store, sender, clock)
    assert [told["event"] for told in sender.told] == ["receiver.failing", "receiver.recovered"]


async def test_one_refusal_alarms_no_one(store: SqlStore) -> None:
    await two_webhooks(store)
    sender, clock = Sender(), Clock(NOON)
    sender.answer = Refused(Outcome.text("no"))
    assert not (await deliver(store, sender, clock)).failing
    assert sender.told == []
