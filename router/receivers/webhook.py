"""Takes a delivery to a webhook: JSON, signed.

The receiver gets `X-Ringtrace-Timestamp` (seconds since 1970) and `X-Ringtrace-Signature: v1=<hex>`, the HMAC-SHA256
of `timestamp.body` under the webhook's secret, and `Idempotency-Key`, the same on every attempt. Any 2xx is a receipt.

A token with `config:write` chooses the address, and one with `calls:read` sees the receipt. So that together they read
nothing from our own network, only the status is kept of answers from inner addresses.
"""

import asyncio
import hashlib
import hmac
import ipaddress
import json
import socket
import time
from collections.abc import Sequence
from typing import Any

import httpx

from router.domain.delivery.delivery import Delivery, Webhook
from router.errors import ReceiverUnavailable
from router.service.delivery.dispatch import Receiver, Refused, Taken

SECONDS = 10.0  # a receiver that takes longer is tried again
MOST_BYTES = 2000  # read of an answer

METADATA = tuple(
    ipaddress.ip_network(network)
    for network in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "100.100.100.200/32", "192.0.0.192/32")
)  # where clouds keep the keys of their machines
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Answers that more attempts cannot change; 408, 425 and 429 can pass.
_FINAL = frozenset(range(400, 500)) - {408, 409, 423, 425, 429, 401, 403, 404}


def webhook_secret(key: str, webhook_id: str) -> str:
    """The signing secret of one webhook, derived from the installation's key: nothing more to store or to leak."""
    return hmac.new(key.encode(), f"webhook:{webhook_id}".encode(), hashlib.sha256).hexdigest()


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """The signature of a body sent at `timestamp`."""
    return "v1=" + hmac.new(secret.encode(), b"%d." % timestamp + body, hashlib.sha256).hexdigest()


def read_address(text: str) -> Address:
    """An IP address; an IPv4 address in IPv6 form is the IPv4 address. Raises `ValueError`."""
    address = ipaddress.ip_address(text.partition("%")[0])
    inner = address.ipv4_mapped or address.sixtofour if isinstance(address, ipaddress.IPv6Address) else None
    return inner or address


def is_metadata(address: Address) -> bool:
    """No receiver is there: link-local addresses and those at which clouds answer their own machines."""
    return any(address.version == network.version and address in network for network in METADATA)


class WebhookCourier:
    """The `Courier` of `router.service.delivery.dispatch`, over HTTP."""

    def __init__(self, key: str, seconds: float = SECONDS) -> None:
        self._key, self._seconds = key, seconds
        self._client = httpx.AsyncClient(timeout=seconds, follow_redirects=False, trust_env=False)

    def most(self, _receiver: Receiver) -> int:
        """Each is posted alone."""
        return 1

    async def take(self, deliveries: Sequence[Delivery], receiver: Receiver) -> Taken:
        """Post it. Raises `ReceiverUnavailable` and `Refused`."""
        assert isinstance(receiver, Webhook)
        return Taken(said=await self.post(deliveries[0], receiver))

    async def post(self, delivery: Delivery, webhook: Webhook) -> str:
        """One delivery; the receipt."""
        body = json.dumps(delivery.payload, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
        now = int(time.time())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Ringtrace",
            "Idempotency-Key": delivery.key,
            "X-Ringtrace-Attempt": str(delivery.attempts + 1),
            "X-Ringtrace-Timestamp": str(now),
            "X-Ringtrace-Signature": sign(webhook_secret(self._key, webhook.id), now, body),
        }
        try:
            async with asyncio.timeout(self._seconds):  # httpx counts each chunk alone
                await _refuse_metadata(webhook.url)
                status, answer = await self._post(webhook.url, body, headers)
        except TimeoutError as error:
            raise ReceiverUnavailable(f"no whole answer within {self._seconds:g} s") from error
        except httpx.RemoteProtocolError as error:  # its text quotes the answer
            raise ReceiverUnavailable("the answer is not HTTP, or is not whole") from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
            raise ReceiverUnavailable(f"{type(error).__name__}: {error}"[:300]) from error
        if 200 <= status < 300:
            return f"{status} {answer}".strip()
        if status in _FINAL:
            raise Refused(f"{status} {answer}")
        raise ReceiverUnavailable(f"{status} {answer}")

    async def _post(self, url: str, body: bytes, headers: dict[str, Any]) -> tuple[int, str]:
        async with self._client.stream("POST", url, content=body, headers=headers) as response:
            read = b""
            async for chunk in response.aiter_raw():
                read += chunk
                if len(read) >= MOST_BYTES:
                    break
            if not _is_public(response):
                read = b""
        text = read[:MOST_BYTES].decode("utf-8", "replace")
        return response.status_code, "".join(c if c.isprintable() else " " for c in text)[:300]

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.aclose()


async def _refuse_metadata(url: str) -> None:
    """Raises `Refused` when the host of `url` is, or is a name of, an address of cloud metadata."""
    host = httpx.URL(url).host
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    if any(is_metadata(read_address(str(address[0]))) for *_, address in found):
        raise Refused(f"{host} is a link-local or cloud metadata address: no webhook is sent there")


def _is_public(response: httpx.Response) -> bool:
    """The answer comes from the internet, by the address that was connected to."""
    peer = response.extensions["network_stream"].get_extra_info("server_addr")
    return peer is not None and read_address(str(peer[0])).is_global
