"""Checks that the host names of receivers resolve."""

import asyncio
import socket
from urllib.parse import urlsplit

from router.cli.doctor.finding import Case, Finding, fail
from router.domain.delivery.connection import Connection
from router.domain.delivery.delivery import Webhook
from router.service.admin.setup import list_all

LOOKUP_SECONDS = 5.0


async def receivers(case: Case) -> list[Finding]:
    """The host name of each active receiver resolves."""
    if case.settings.http_proxy:  # which resolves them itself
        return []
    async with case.store.read() as session:
        connections = await session.find(Connection, active=True)
    webhooks = [hook for hook in await list_all(case.store, Webhook) if hook.active]
    addresses = {}
    for connection in connections:
        addresses[f"connection {connection.id}"] = (connection.address, "crm change")

    addresses |= {f"webhook {webhook.id}": (webhook.url, "webhook change") for webhook in webhooks}
    hosts = {}
    for name, (address, verb) in addresses.items():
        hosts[name] = (urlsplit(address).hostname, verb)

    found = await asyncio.gather(*(_look(name, *host) for name, host in hosts.items()))
    return [finding for finding in found if finding is not None]


async def _look(name: str, host: str | None, verb: str) -> Finding | None:
    if not host or await _resolves(host):
        return None
    key = name.partition(" ")[2]
    return fail(
        name,
        f"the host '{host}' does not resolve: deliveries to it wait",
        f"Correct its address with `ringtrace {verb} {key}`, or this machine's DNS "
        f"(/etc/resolv.conf); `getent hosts {host}` tries it.",
    )


async def _resolves(host: str) -> bool:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(LOOKUP_SECONDS):
            await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError):
        return False
    return True
