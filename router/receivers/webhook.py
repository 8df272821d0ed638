"""Posts deliveries to webhooks, by the Standard Webhooks specification.

`webhook-id` is the same on every attempt, `webhook-timestamp` the moment of the attempt in seconds
since 1970, and `webhook-signature` is `v1,` and the base64 of the HMAC-SHA256 of
`id.timestamp.body` under the webhook's secret.

A token with `config:write` chooses the address, and one with `calls:read` sees the receipt. So that
together they read nothing from our own network, only the status is kept of answers from inner
addresses.
"""

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import json
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx

from router.domain.delivery.analytics_codes import WebhookCode
from router.domain.delivery.codes import AnswerCode, SettingCode
from router.domain.delivery.delivery import Delivery, Webhook
from router.domain.delivery.outcome import Outcome
from router.domain.text import one_line
from router.errors import ConfigurationError
from router.receivers.header_times import retry_after
from router.receivers.http import NO_RIGHT, Answer, HttpClient, words
from router.receivers.network import Address, Network, read_address
from router.service.delivery.outcomes import Receiver, ReceiverUnavailable, Refused, SendResult

SECONDS = 10.0  # slower receivers are tried again
MOST_BYTES = 2000  # bytes read of an answer

# addresses at which clouds serve the credentials of their machines
METADATA = tuple(
    ipaddress.ip_network(network)
    for network in (
        "169.254.0.0/16",
        "fe80::/10",
        "fd00:ec2::254/128",
        "100.100.100.200/32",
        "192.0.0.192/32",
    )
)

# Answers that more attempts cannot change; 408, 425 and 429 can pass.
_FINAL = frozenset(range(400, 500)) - {408, 409, 423, 425, 429, 401, 403, 404}
_ANY = frozenset(range(100, 1000))
_PORTS = {"http": 80, "https": 443}
Login = tuple[str, str]  # name and password


def webhook_secret(key: str, webhook_id: str) -> str:
    """The signing secret of one webhook, derived from the installation's key: no second secret to
    store.
    """
    made = hmac.new(key.encode(), f"webhook:{webhook_id}".encode(), hashlib.sha256).digest()
    return "whsec_" + base64.b64encode(made).decode()


def message_id(key: str) -> str:
    """The `webhook-id` of a delivery: one for each key, without full stops, which separate the
    signed parts.
    """
    return "msg_" + hashlib.sha256(key.encode()).hexdigest()[:32]


def sign(secret: str, message: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` of a body that is sent at `timestamp`."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{message}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def is_metadata(address: Address) -> bool:
    """Whether it is link-local, or an address at which clouds answer their own machines."""
    return any(address.version == network.version and address in network for network in METADATA)


def server_of(url: str) -> str:
    """The server of an address; a password is sent to it only. Raises `ReceiverUnavailable`."""
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ReceiverUnavailable(WebhookCode.WEBHOOK_ADDRESS, detail=str(error)) from error
    port = address.port or _PORTS.get(address.scheme, 80)
    return f"{address.scheme}://{address.host}:{port}"


class WebhookSender:
    """The `Sender` of `router.service.delivery.dispatch`, over HTTP."""

    def __init__(
        self,
        key: str,
        seconds: float = SECONDS,
        *,
        network: Network | None = None,
        logins: Callable[[], Mapping[str, Mapping[str, str]]] = dict,
    ) -> None:
        self._key, self._network, self._logins = key, network or Network(), logins
        self._client = HttpClient(
            "",
            {"Content-Type": "application/json"},
            seconds=seconds,
            network=self._network,
            beginning=MOST_BYTES,
            after_silence=timedelta(),
        )

    def most(self, _receiver: Receiver) -> int:
        """Each delivery is posted alone."""
        return 1

    async def send(self, deliveries: Sequence[Delivery], receiver: Receiver) -> SendResult:
        """Post a delivery. Raises `ReceiverUnavailable` and `Refused`."""
        assert isinstance(receiver, Webhook)
        return SendResult(said=await self.post(deliveries[0], receiver))

    async def post(self, delivery: Delivery, webhook: Webhook) -> Outcome:
        """One delivery; the receipt. Raises `ReceiverUnavailable` and `Refused`."""
        text = json.dumps(delivery.payload, ensure_ascii=False, separators=(",", ":"))
        body = text.encode(errors="replace")
        login = self._login(webhook)
        await self._refuse_metadata(webhook.url)
        answer = await self._client.ask(
            "POST",
            webhook.url,
            accept=_ANY,
            content=body,
            headers=self._signed(delivery, webhook, body),
            auth=login,
        )
        said = _said(answer, login)
        if 200 <= answer.status < 300:
            return Outcome.of(AnswerCode.ACCEPTED, status=answer.status, detail=said)
        raise _trouble(answer, said, webhook)

    def _signed(self, delivery: Delivery, webhook: Webhook, body: bytes) -> dict[str, str]:
        message, now = message_id(delivery.key), int(time.time())
        return {
            "webhook-id": message,
            "webhook-timestamp": str(now),
            "webhook-signature": sign(webhook_secret(self._key, webhook.id), message, now, body),
        }

    def _login(self, webhook: Webhook) -> Login | None:
        """Name and password, if they are stored for this receiver. Raises `ReceiverUnavailable`."""
        try:
            kept = self._logins().get(webhook.id, {})
        except (ConfigurationError, OSError) as error:
            raise ReceiverUnavailable(
                SettingCode.SECRETS_UNREADABLE, pause=NO_RIGHT, detail=str(error)
            ) from error
        if kept.get("server") != server_of(webhook.url):
            return None  # the password is for another server
        return kept["user"], kept["password"]

    async def _refuse_metadata(self, url: str) -> None:
        """Raises `Refused` when the host of `url` is, or is a name of, an address of cloud
        metadata.
        """
        try:
            host = httpx.URL(url).host
            found = await asyncio.get_running_loop().getaddrinfo(
                host, None, type=socket.SOCK_STREAM
            )
        except (OSError, ValueError, httpx.InvalidURL) as error:
            if not isinstance(error, socket.gaierror) or not self._network.proxied(host):
                reason = f"{type(error).__name__}: {error}"
                where = urlsplit(url).netloc.rpartition("@")[2]
                raise ReceiverUnavailable(
                    AnswerCode.NO_CONNECTION, where=where, detail=reason
                ) from error
            return  # the proxy may resolve names that we cannot
        if any(is_metadata(read_address(str(address[0]))) for *_, address in found):
            raise Refused(WebhookCode.WEBHOOK_FORBIDDEN, host=host)

    async def close(self) -> None:
        """Close connections."""
        await self._client.close()


def _said(answer: Answer, login: Login | None) -> str:
    """The text of an answer, without details of our network and without the password."""
    if answer.inner:
        return ""
    text = words(answer)
    if login is None:
        return text
    for secret in (login[1], httpx.BasicAuth(*login)._auth_header):
        text = text.replace(secret.removeprefix("Basic "), "…")
    return text


def _trouble(answer: Answer, said: str, webhook: Webhook) -> ReceiverUnavailable | Refused:
    """The meaning of a refusal, and what a person has to do."""
    about: dict[str, Any] = {"status": answer.status, "detail": said, "receiver": webhook.id}
    pause = retry_after(answer.headers)
    if answer.moved:
        address = _shown_address(answer)
        if address is None:
            return ReceiverUnavailable(WebhookCode.WEBHOOK_MOVED_AWAY, pause=pause, **about)
        about["address"] = address
        return ReceiverUnavailable(WebhookCode.WEBHOOK_MOVED, pause=pause, **about)
    if answer.status in {401, 403}:
        return ReceiverUnavailable(WebhookCode.WEBHOOK_LOGIN, pause=NO_RIGHT, **about)
    if answer.status == 410:
        return Refused(WebhookCode.WEBHOOK_GONE, **about)
    if answer.status in _FINAL:
        return Refused(AnswerCode.REFUSED, **about)
    return ReceiverUnavailable(AnswerCode.UNAVAILABLE, pause=pause, **about)


def _shown_address(answer: Answer) -> str | None:
    """The address in a redirect; of a private one only the same server's, without the query."""
    new = httpx.URL(answer.moved)
    if not answer.inner:
        return one_line(answer.moved)
    if new.host != answer.host:
        return None
    return one_line(str(new.copy_with(query=None, fragment=None)))
