"""What a webhook's receiver answers, and what becomes of the delivery: it is obeyed, and shown
in clear words.
"""

import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from router.domain.delivery.delivery import Delivery, DeliveryKind, new_delivery
from router.receivers.http import NO_RIGHT
from router.receivers.webhook import WebhookSender
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from tests.support.builders import NOON, webhook
from tests.support.receiver import Receiver, receiver


@pytest_asyncio.fixture
async def hook() -> AsyncIterator[Receiver]:
    async with receiver() as made:
        yield made


@pytest_asyncio.fixture
async def sender() -> AsyncIterator[WebhookSender]:
    made = WebhookSender("key", seconds=60)
    yield made
    await made.close()


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    """The receiver counts as one on the internet."""
    monkeypatch.setattr("router.receivers.http.is_public", lambda response: True)


def a_delivery() -> Delivery:
    body = {"call": {"id": "rt1-1.0"}}
    return new_delivery(webhook(), DeliveryKind.CALL_ENDED, "rt1-1.0", body, id="d1", now=NOON)


async def refusal(sender: WebhookSender, hook: Receiver) -> ReceiverUnavailable | Refused:
    with pytest.raises((ReceiverUnavailable, Refused)) as caught:
        await sender.post(a_delivery(), webhook(url=hook.url))
    error = caught.value
    assert isinstance(error, ReceiverUnavailable | Refused)
    return error


@pytest.mark.parametrize("status", ["429 Slow down", "503 Busy"])
async def test_retry_after_is_obeyed(status: str, hook: Receiver, sender: WebhookSender) -> None:
    hook.says(status, b"", "Retry-After: 600")
    error = await refusal(sender, hook)
    assert isinstance(error, ReceiverUnavailable)
    assert error.pause == timedelta(seconds=600)


@pytest.mark.usefixtures("public")
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Elsewhere", "308 For good"])
async def test_a_redirect_is_not_followed_and_its_new_address_is_named(
    status: str, hook: Receiver, sender: WebhookSender
) -> None:
    page = b"<html><head><title>301</title></head><body>Moved</body></html>"
    hook.says(status, page, "Location: https://new.example/hook?a=1")
    error = await refusal(sender, hook)
    assert isinstance(error, ReceiverUnavailable)
    assert "moved to https://new.example/hook?a=1" in error.message
    assert "ringtrace webhook change crm --url" in error.message
    assert "<" not in error.message
    assert error.pause == timedelta()
    assert len(hook.requests) == 1


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("/new?token=17", "moved to http://127.0.0.1:{port}/new:"),
        ("http://10.0.0.7/secret", "moved to another server:"),
    ],
)
async def test_a_redirect_of_an_inner_address_tells_nothing_of_other_servers(
    location: str, said: str, hook: Receiver, sender: WebhookSender
) -> None:
    hook.says("301 Moved", b"", f"Location: {location}")
    error = await refusal(sender, hook)
    assert said.format(port=hook.port) in str(error)
    assert "10.0.0.7" not in str(error)


@pytest.mark.usefixtures("public")
async def test_an_address_that_is_gone_ends_the_delivery(
    hook: Receiver, sender: WebhookSender
) -> None:
    hook.says("410 Gone", b"<h1>Gone</h1>")
    error = await refusal(sender, hook)
    assert isinstance(error, Refused)
    assert "410 Gone: the receiver says that this address no longer exists" in str(error)


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
async def test_a_receiver_that_wants_a_password_says_how_to_give_one(
    status: str, hook: Receiver, sender: WebhookSender
) -> None:
    hook.says(status, b"", 'WWW-Authenticate: Basic realm="1C"')
    error = await refusal(sender, hook)
    assert isinstance(error, ReceiverUnavailable)
    assert "ringtrace webhook change crm --user NAME" in error.message
    assert error.pause == NO_RIGHT


@pytest.mark.usefixtures("public")
async def test_of_a_page_the_words_alone_are_kept(hook: Receiver, sender: WebhookSender) -> None:
    hook.says(
        "502 Bad Gateway", b"<html><body><h1>502 Bad&nbsp;Gateway</h1><hr>nginx</body></html>"
    )
    assert "<" not in str(await refusal(sender, hook))


@pytest.mark.usefixtures("public")
async def test_a_password_that_is_kept_is_sent_and_never_said_back(hook: Receiver) -> None:
    server = f"http://127.0.0.1:{hook.port}"
    logins = {"crm": {"user": "robot", "password": "pa55word", "server": server}}
    sender = WebhookSender("key", seconds=60, logins=lambda: logins)
    hook.says("400 Bad", b"robot:pa55word Basic cm9ib3Q6cGE1NXdvcmQ= is unknown")
    error = await refusal(sender, hook)
    await sender.close()
    assert hook.requests[0].headers["authorization"] == "Basic cm9ib3Q6cGE1NXdvcmQ="
    assert "pa55word" not in str(error)
    assert "cm9ib3Q6" not in str(error)


async def test_a_password_is_sent_to_its_own_server_alone(hook: Receiver) -> None:
    logins = {"crm": {"user": "robot", "password": "pa55word", "server": "https://1c.example:443"}}
    sender = WebhookSender("key", seconds=60, logins=lambda: logins)
    await sender.post(a_delivery(), webhook(url=hook.url))
    await sender.close()
    assert "authorization" not in hook.requests[0].headers


async def test_a_name_that_moves_to_an_inner_address_after_the_check_shows_nothing_of_the_answer(
    hook: Receiver, sender: WebhookSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the address that answered counts, not the one that was looked up before."""
    looked_up = socket.getaddrinfo
    answers = iter(["203.0.113.7"])

    def rebound(host: Any, *rest: Any, **more: Any) -> Any:
        return looked_up(next(answers, "127.0.0.1"), *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    hook.says("200 OK", b"inner secret")
    rebinding = f"http://rebinding.example:{hook.port}/"
    outcome = await sender.post(a_delivery(), webhook(url=rebinding))
    assert len(hook.requests) == 1
    assert "secret" not in str(outcome)
