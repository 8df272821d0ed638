"""Deliveries to a real receiver: taken once, tried again, given up, and what bad receivers do to
us.
"""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
import standardwebhooks

from router.domain.calls.call import Call, State
from router.domain.delivery.delivery import (
    DEADLINE,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Webhook,
    announce,
)
from router.errors import NotFound
from router.receivers.webhook import WebhookSender, message_id, webhook_secret
from router.service.delivery.dispatch import CLAIM, deliver_due, list_deliveries
from router.service.delivery.manage import resend_dead, resend_delivery
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from router.store.engine import SqlStore
from tests.support.builders import NOON, Clock, later, webhook
from tests.support.receiver import Answer, Receiver, drip, receiver, silence

KEY = "installation's key"


@pytest_asyncio.fixture
async def hook() -> AsyncIterator[Receiver]:
    async with receiver() as made:
        yield made


@pytest_asyncio.fixture
async def courier() -> AsyncIterator[WebhookSender]:
    made = WebhookSender(KEY, seconds=60)
    yield made
    await made.close()


@pytest_asyncio.fixture
async def impatient() -> AsyncIterator[WebhookSender]:
    """For receivers that never come to an end."""
    made = WebhookSender(KEY, seconds=0.4)
    yield made
    await made.close()


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    """The receiver counts as one on the internet."""
    monkeypatch.setattr("router.receivers.http.is_public", lambda response: True)


def told(id: str = "d1", call_id: str = "rt1-1.0", receiver: str = "crm", **body: Any) -> Delivery:  # noqa: A002
    payload = {"call": {"id": call_id, "caller_name": "Анна 😀"}, **body}
    return announce(webhook(receiver), DeliveryKind.CALL_ENDED, call_id, payload, id=id, now=NOON)


async def furnish(store: SqlStore, url: str, *deliveries: Delivery, **fields: Any) -> None:
    async with store.write() as session:
        await session.add(webhook(url=url, **fields))
        calls = {one.call_id for one in deliveries or [told()]}
        await session.calls.save(
            [
                Call(id=one, did="1", trunk="t", arrived_at=NOON, state=State.ENDED)
                for one in sorted(calls)
            ]
        )
        await session.deliveries.add(list(deliveries) or [told()])


async def only(store: SqlStore) -> Delivery:
    (one,) = await list_deliveries(store)
    return one


# The courier


async def test_the_receiver_gets_signed_json_and_a_key(
    hook: Receiver, courier: WebhookSender
) -> None:
    began = int(time.time())
    assert str(await courier.post(told(), webhook(url=hook.url))) == "200"
    (request,) = hook.requests
    assert request.line == "POST /hook HTTP/1.1"
    assert json.loads(request.body) == told().payload
    assert began <= int(request.headers["webhook-timestamp"]) <= time.time()
    verifier = standardwebhooks.Webhook(webhook_secret(KEY, "crm"))
    assert verifier.verify(request.body, request.headers) == told().payload
    assert request.headers["webhook-id"] == message_id("call.ended:rt1-1.0")
    assert request.headers["content-type"] == "application/json"
    assert not [name for name in request.headers if name.startswith("x-")]


@pytest.mark.parametrize(
    "status",
    [
        "500 Oops",
        "502 Bad Gateway",
        "429 Slow down",
        "401 Who",
        "404 Not yet",
        "301 Moved",
        "304 Same",
    ],
)
async def test_an_answer_that_may_change_is_worth_another_try(
    status: str, hook: Receiver, courier: WebhookSender
) -> None:
    hook.says(status, b"later", "Location: http://127.0.0.1:1/elsewhere")
    with pytest.raises(ReceiverUnavailable, match=status[:3]):
        await courier.post(told(), webhook(url=hook.url))
    assert len(hook.requests) == 1


@pytest.mark.parametrize("status", ["400 Bad", "410 Gone", "422 No"])
async def test_a_refusal_of_what_we_send_is_final(
    status: str, hook: Receiver, courier: WebhookSender
) -> None:
    hook.says(status, b"never")
    with pytest.raises(Refused, match=status[:3]):
        await courier.post(told(), webhook(url=hook.url))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\xff nonsense\r\n\r\n",
        b"HTTP/1.1 200",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"x" * 200_000 + b"\r\n\r\n",
        drip,
        silence,
    ],
    ids=[
        "nothing",
        "nonsense",
        "half",
        "no status",
        "ssh",
        "short body",
        "long header",
        "drip",
        "silence",
    ],
)
async def test_nonsense_and_slowness_are_tried_again_and_never_hang(
    answer: bytes | Answer, hook: Receiver, impatient: WebhookSender
) -> None:
    hook.answer = answer
    async with asyncio.timeout(30):
        with pytest.raises(ReceiverUnavailable):
            await impatient.post(told(), webhook(url=hook.url))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://[::1",
        "http://",
        "nonsense",
        "ftp://127.0.0.1/",
        "http://a b/",
    ],
)
async def test_an_address_where_nobody_is_is_unavailable(url: str, courier: WebhookSender) -> None:
    with pytest.raises(ReceiverUnavailable):
        await courier.post(told(), webhook(url=url))


@pytest.mark.usefixtures("public")
async def test_a_huge_answer_is_read_to_its_beginning_only(
    hook: Receiver, courier: WebhookSender
) -> None:
    size, sent = 200_000_000, 0

    async def pour(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
        while sent < size:
            writer.write(b"x" * 100_000)
            sent += 100_000
            await writer.drain()

    hook.answer = pour
    assert 200 < len(str(await courier.post(told(), webhook(url=hook.url)))) <= 310
    assert sent < size / 4  # what lay in the buffers of the line


@pytest.mark.usefixtures("public")
async def test_an_answer_in_no_alphabet_becomes_a_receipt_that_can_be_kept(
    hook: Receiver, courier: WebhookSender
) -> None:
    hook.says("200 OK", b"\xff\xfe\x00\x1b[31m \xd1\x8f \r\n")
    receipt = str(await courier.post(told(), webhook(url=hook.url)))
    assert receipt.isprintable()
    assert "я" in receipt


@pytest.mark.parametrize("status", ["200 OK", "422 No", "500 Oops"])
async def test_of_an_answer_from_an_inner_address_only_the_status_is_kept(
    status: str, hook: Receiver, courier: WebhookSender
) -> None:
    hook.says(status, b"inner secret")
    try:
        kept = str(await courier.post(told(), webhook(url=hook.url)))
    except (Refused, ReceiverUnavailable) as error:
        kept = str(error)
    assert kept.strip() == status[:3]


async def test_the_banner_of_an_inner_service_is_not_kept(
    hook: Receiver, courier: WebhookSender
) -> None:
    hook.answer = b"Asterisk Call Manager/9.0.0\r\n"
    with pytest.raises(ReceiverUnavailable) as error:
        await courier.post(told(), webhook(url=hook.url))
    assert "Manager" not in str(error.value)


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "2852039166",
        "[::ffff:169.254.169.254]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "100.100.100.200",
    ],
)
async def test_nothing_is_sent_to_the_metadata_of_a_cloud(
    host: str, courier: WebhookSender
) -> None:
    with pytest.raises(Refused, match="metadata"):
        await courier.post(told(), webhook(url=f"http://{host}/latest/meta-data/"))


async def test_a_half_letter_in_what_is_told_does_not_stop_the_telling(
    hook: Receiver, courier: WebhookSender
) -> None:
    await courier.post(told(odd="\ud800"), webhook(url=hook.url))
    assert json.loads(hook.requests[0].body)["odd"] == "?"


# What becomes of them


async def test_a_taken_delivery_has_its_receipt_and_the_call_is_new_again(
    store: SqlStore, hook: Receiver, courier: WebhookSender
) -> None:
    await furnish(store, hook.url)
    assert await deliver_due(store, courier, Clock()) == 1
    assert await deliver_due(store, courier, Clock(later(10))) == 0
    done = await only(store)
    assert (done.state, done.attempts, str(done.receipt)) == (DeliveryState.DONE, 1, "200")
    async with store.read() as session:
        assert [call.id for call in await session.calls.newer_than(1)] == ["rt1-1.0"]


async def test_every_attempt_bears_the_same_key_and_one_that_succeeds_is_the_last(
    store: SqlStore, hook: Receiver, courier: WebhookSender
) -> None:
    await furnish(store, hook.url)
    clock = Clock()
    hook.says("500 Oops")
    for _ in range(3):
        assert await deliver_due(store, courier, clock) == 1
        waiting = await only(store)
        assert (waiting.state, str(waiting.last_error)) == (DeliveryState.PENDING, "500")
        clock.now = waiting.due_at
    hook.says("200 OK")
    await deliver_due(store, courier, clock)
    clock.move(1e6)
    assert await deliver_due(store, courier, clock) == 0
    message = message_id("call.ended:rt1-1.0")
    assert [one.headers["webhook-id"] for one in hook.requests] == [message] * 4
    assert len({one.body for one in hook.requests}) == 1


async def test_a_receiver_that_is_down_for_longer_than_the_deadline_is_given_up_and_told_by_hand(
    store: SqlStore, hook: Receiver, courier: WebhookSender
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        await furnish(store, f"http://127.0.0.1:{closed.getsockname()[1]}/")
        clock = Clock()
        await deliver_due(store, courier, clock)
        assert (await only(store)).state is DeliveryState.PENDING
        clock.now = NOON + DEADLINE
        await deliver_due(store, courier, clock)
    dead = await only(store)
    assert dead.state is DeliveryState.DEAD
    assert dead.last_error
    clock.move(86_400)
    assert await deliver_due(store, courier, clock) == 0
    async with store.write() as session:
        await session.change(replace(await session.get(Webhook, "crm"), url=hook.url))
    await resend_delivery(store, dead.id, clock())
    assert await deliver_due(store, courier, clock) == 1
    assert (await only(store)).state is DeliveryState.DONE
    assert hook.requests[0].headers["webhook-id"] == message_id(dead.key)


async def test_everything_given_up_can_be_sent_again_at_once(
    store: SqlStore, hook: Receiver
) -> None:
    lost = [replace(told(f"d{i}", f"c{i}"), state=DeliveryState.DEAD) for i in range(130)]
    await furnish(store, hook.url, *lost)
    assert await resend_dead(store, later(5)) == 130
    assert await resend_dead(store, later(5)) == 0
    assert len(await list_deliveries(store, state=DeliveryState.PENDING, limit=200)) == 130
    with pytest.raises(NotFound):
        await resend_delivery(store, "nobody", NOON)


@pytest.mark.parametrize("fate", ["removed", "switched off"])
async def test_what_was_meant_for_a_receiver_that_is_gone_is_given_up(
    fate: str, store: SqlStore, hook: Receiver, courier: WebhookSender
) -> None:
    await furnish(store, hook.url, active=fate != "switched off")
    if fate == "removed":
        async with store.write() as session:
            await session.remove(Webhook, "crm")
    await deliver_due(store, courier, Clock())
    dead = await only(store)
    assert (dead.state, hook.requests) == (DeliveryState.DEAD, [])
    assert "was removed" in str(dead.last_error)


async def test_a_worker_killed_between_sending_and_writing_it_down_sends_again_under_the_same_key(
    store: SqlStore, hook: Receiver, courier: WebhookSender
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
    assert await deliver_due(store, courier, Clock(NOON + CLAIM / 2)) == 0
    assert await deliver_due(store, courier, Clock(NOON + CLAIM)) == 1
    message = message_id("call.ended:rt1-1.0")
    assert [one.headers["webhook-id"] for one in hook.requests] == [message] * 2


async def test_a_slow_receiver_does_not_keep_the_others_waiting(
    store: SqlStore, hook: Receiver, courier: WebhookSender
) -> None:
    other_was_told = asyncio.Event()

    async def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        other_was_told.set()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async def hang_up_after_the_other(*_: object) -> None:
        await other_was_told.wait()

    async with receiver() as slow:
        hook.answer, slow.answer = take, hang_up_after_the_other
        first = replace(told("d2", receiver="slow"), due_at=later(-1))
        await furnish(store, hook.url, told("d1"), first)
        async with store.write() as session:
            await session.add(webhook("slow", url=slow.url))
        async with asyncio.timeout(30):  # the courier's patience is longer
            assert await deliver_due(store, courier, Clock()) == 2
    states = {one.receiver_id: one.state for one in await list_deliveries(store)}
    assert states == {"crm": DeliveryState.DONE, "slow": DeliveryState.PENDING}
