"""One request to a webhook: what it says, and what bad receivers do to us."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import standardwebhooks

from router.receivers.webhook import WebhookSender, message_id, webhook_secret
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from tests.integration.webhook_world import KEY, a_delivery
from tests.support.builders import webhook
from tests.support.receiver import Answer, Receiver, drip, receiver, silence


@pytest_asyncio.fixture
async def hook() -> AsyncIterator[Receiver]:
    async with receiver() as made:
        yield made


@pytest_asyncio.fixture
async def sender() -> AsyncIterator[WebhookSender]:
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


async def test_the_receiver_gets_signed_json_and_a_key(
    hook: Receiver, sender: WebhookSender
) -> None:
    began = int(time.time())
    assert str(await sender.post(a_delivery(), webhook(url=hook.url))) == "200"
    (request,) = hook.requests
    assert request.line == "POST /hook HTTP/1.1"
    assert json.loads(request.body) == a_delivery().payload
    assert began <= int(request.headers["webhook-timestamp"]) <= time.time()
    verifier = standardwebhooks.Webhook(webhook_secret(KEY, "crm"))
    assert verifier.verify(request.body, request.headers) == a_delivery().payload
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
    status: str, hook: Receiver, sender: WebhookSender
) -> None:
    hook.says(status, b"later", "Location: http://127.0.0.1:1/elsewhere")
    with pytest.raises(ReceiverUnavailable, match=status[:3]):
        await sender.post(a_delivery(), webhook(url=hook.url))
    assert len(hook.requests) == 1


@pytest.mark.parametrize("status", ["400 Bad", "410 Gone", "422 No"])
async def test_a_refusal_of_what_we_send_is_final(
    status: str, hook: Receiver, sender: WebhookSender
) -> None:
    hook.says(status, b"never")
    with pytest.raises(Refused, match=status[:3]):
        await sender.post(a_delivery(), webhook(url=hook.url))


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
    async with asyncio.timeout(180):
        with pytest.raises(ReceiverUnavailable):
            await impatient.post(a_delivery(), webhook(url=hook.url))


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
async def test_an_address_without_a_server_is_unavailable(url: str, sender: WebhookSender) -> None:
    with pytest.raises(ReceiverUnavailable):
        await sender.post(a_delivery(), webhook(url=url))


@pytest.mark.usefixtures("public")
async def test_a_huge_answer_is_read_to_its_beginning_only(
    hook: Receiver, sender: WebhookSender
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
    assert 200 < len(str(await sender.post(a_delivery(), webhook(url=hook.url)))) <= 310
    assert sent < size / 4  # what lay in the buffers of the line


@pytest.mark.usefixtures("public")
async def test_an_answer_in_no_alphabet_becomes_a_receipt_that_can_be_kept(
    hook: Receiver, sender: WebhookSender
) -> None:
    hook.says("200 OK", b"\xff\xfe\x00\x1b[31m \xd1\x8f \r\n")
    receipt = str(await sender.post(a_delivery(), webhook(url=hook.url)))
    assert receipt.isprintable()
    assert "я" in receipt


@pytest.mark.parametrize("status", ["200 OK", "422 No", "500 Oops"])
async def test_of_an_answer_from_an_inner_address_only_the_status_is_kept(
    status: str, hook: Receiver, sender: WebhookSender
) -> None:
    hook.says(status, b"inner secret")
    try:
        kept = str(await sender.post(a_delivery(), webhook(url=hook.url)))
    except (Refused, ReceiverUnavailable) as error:
        kept = str(error)
    assert kept.strip() == status[:3]


async def test_the_banner_of_an_inner_service_is_not_kept(
    hook: Receiver, sender: WebhookSender
) -> None:
    hook.answer = b"Asterisk Call Manager/9.0.0\r\n"
    with pytest.raises(ReceiverUnavailable) as error:
        await sender.post(a_delivery(), webhook(url=hook.url))
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
async def test_nothing_is_sent_to_the_metadata_of_a_cloud(host: str, sender: WebhookSender) -> None:
    with pytest.raises(Refused, match="metadata"):
        await sender.post(a_delivery(), webhook(url=f"http://{host}/latest/meta-data/"))


async def test_a_half_letter_in_the_payload_does_not_stop_the_delivery(
    hook: Receiver, sender: WebhookSender
) -> None:
    await sender.post(a_delivery(odd="\ud800"), webhook(url=hook.url))
    assert json.loads(hook.requests[0].body)["odd"] == "?"
