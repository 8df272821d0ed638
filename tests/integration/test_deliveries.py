"""Deliveries to a real receiver: taken once, tried again, given up."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from router.domain.delivery.delivery import (
    DEADLINE,
    DeliveryState,
    Webhook,
)
from router.errors import NotFound
from router.receivers.webhook import WebhookSender, message_id
from router.service.delivery.dispatch import CLAIM, deliver_due, list_deliveries
from router.service.delivery.manage import resend_delivery, resend_failed
from router.store.engine import SqlStore
from tests.integration.webhook_world import KEY, a_delivery, furnish, only
from tests.support.builders import NOON, Clock, later, webhook
from tests.support.receiver import Receiver, receiver


@pytest_asyncio.fixture
async def hook() -> AsyncIterator[Receiver]:
    async with receiver() as made:
        yield made


@pytest_asyncio.fixture
async def sender() -> AsyncIterator[WebhookSender]:
    made = WebhookSender(KEY, seconds=60)
    yield made
    await made.close()


async def test_a_taken_delivery_has_its_receipt_and_the_call_is_new_again(
    store: SqlStore, hook: Receiver, sender: WebhookSender
) -> None:
    await furnish(store, hook.url)
    assert await deliver_due(store, sender, Clock()) == 1
    assert await deliver_due(store, sender, Clock(later(10))) == 0
    done = await only(store)
    assert (done.state, done.attempts, str(done.receipt)) == (DeliveryState.DONE, 1, "200")
    async with store.read() as session:
        assert [call.id for call in await session.calls.newer_than(1)] == ["rt1-1.0"]


async def test_every_attempt_bears_the_same_key_and_one_that_succeeds_is_the_last(
    store: SqlStore, hook: Receiver, sender: WebhookSender
) -> None:
    await furnish(store, hook.url)
    clock = Clock()
    hook.says("500 Oops")
    for _ in range(3):
        assert await deliver_due(store, sender, clock) == 1
        waiting = await only(store)
        assert (waiting.state, str(waiting.last_error)) == (DeliveryState.PENDING, "500")
        clock.now = waiting.due_at
    hook.says("200 OK")
    await deliver_due(store, sender, clock)
    clock.move(1e6)
    assert await deliver_due(store, sender, clock) == 0
    message = message_id("call.ended:rt1-1.0")
    assert [request.headers["webhook-id"] for request in hook.requests] == [message] * 4
    assert len({request.body for request in hook.requests}) == 1


async def test_a_receiver_that_is_down_for_longer_than_the_deadline_is_given_up_and_sent_by_hand(
    store: SqlStore, hook: Receiver, sender: WebhookSender
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        await furnish(store, f"http://127.0.0.1:{closed.getsockname()[1]}/")
        clock = Clock()
        await deliver_due(store, sender, clock)
        assert (await only(store)).state is DeliveryState.PENDING
        clock.now = NOON + DEADLINE
        await deliver_due(store, sender, clock)
    failed = await only(store)
    assert failed.state is DeliveryState.FAILED
    assert failed.last_error
    clock.move(86_400)
    assert await deliver_due(store, sender, clock) == 0
    async with store.write() as session:
        await session.change(replace(await session.get(Webhook, "crm"), url=hook.url))
    await resend_delivery(store, failed.id, clock())
    assert await deliver_due(store, sender, clock) == 1
    assert (await only(store)).state is DeliveryState.DONE
    assert hook.requests[0].headers["webhook-id"] == message_id(failed.key)


async def test_everything_given_up_can_be_sent_again_at_once(
    store: SqlStore, hook: Receiver
) -> None:
    lost = [replace(a_delivery(f"d{i}", f"c{i}"), state=DeliveryState.FAILED) for i in range(130)]
    await furnish(store, hook.url, *lost)
    assert await resend_failed(store, later(5)) == 130
    assert await resend_failed(store, later(5)) == 0
    assert len(await list_deliveries(store, state=DeliveryState.PENDING, limit=200)) == 130
    with pytest.raises(NotFound):
        await resend_delivery(store, "nobody", NOON)


@pytest.mark.parametrize("fate", ["removed", "switched off"])
async def test_what_was_meant_for_a_receiver_that_is_gone_is_given_up(
    fate: str, store: SqlStore, hook: Receiver, sender: WebhookSender
) -> None:
    await furnish(store, hook.url, active=fate != "switched off")
    if fate == "removed":
        async with store.write() as session:
            await session.remove(Webhook, "crm")
    await deliver_due(store, sender, Clock())
    failed = await only(store)
    assert (failed.state, hook.requests) == (DeliveryState.FAILED, [])
    assert "was removed" in str(failed.last_error)


async def test_a_worker_killed_between_sending_and_writing_it_down_sends_again_under_the_same_key(
    store: SqlStore, hook: Receiver, sender: WebhookSender
) -> None:
    await furnish(store, hook.url)
    arrived = asyncio.Event()

    async def never_answer(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        arrived.set()
        await reader.read()

    hook.answer = never_answer
    worker = asyncio.create_task(deliver_due(store, WebhookSender(KEY, seconds=60), Clock()))
    await arrived.wait()
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    hook.says("200 OK")
    assert await deliver_due(store, sender, Clock(NOON + CLAIM / 2)) == 0
    assert await deliver_due(store, sender, Clock(NOON + CLAIM)) == 1
    message = message_id("call.ended:rt1-1.0")
    assert [request.headers["webhook-id"] for request in hook.requests] == [message] * 2


async def test_a_slow_receiver_does_not_keep_the_others_waiting(
    store: SqlStore, hook: Receiver, sender: WebhookSender
) -> None:
    other_was_told = asyncio.Event()

    async def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        other_was_told.set()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async def hang_up_after_the_other(*_: object) -> None:
        await other_was_told.wait()

    async with receiver() as slow:
        hook.answer, slow.answer = take, hang_up_after_the_other
        first = replace(a_delivery("d2", receiver="slow"), due_at=later(-1))
        await furnish(store, hook.url, a_delivery("d1"), first)
        async with store.write() as session:
            await session.add(webhook("slow", url=slow.url))
        async with asyncio.timeout(30):  # the sender's patience is longer
            assert await deliver_due(store, sender, Clock()) == 2
    states = {delivery.receiver_id: delivery.state for delivery in await list_deliveries(store)}
    assert states == {"crm": DeliveryState.DONE, "slow": DeliveryState.PENDING}
