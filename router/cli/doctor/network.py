"""Checks of the certificate file and the proxy."""

import asyncio

import httpx

from router.cli.doctor.finding import Case, Finding, fail, ok
from router.errors import ConfigurationError
from router.receivers.network import Network, network_of, tls

SECONDS = 5.0  # until a proxy has to answer


async def other_systems(case: Case) -> list[Finding]:
    """The certificate file can be read, and the proxy answers."""
    network = network_of(case.settings)
    if not (network.ca_file or network.proxy):
        return [ok("other systems", "reached directly; the system's certificates are trusted")]
    findings = []
    if network.ca_file:
        findings.append(_authorities(network))

    if not network.proxy:
        return findings
    return [*findings, await _proxy(network)]


def _authorities(network: Network) -> Finding:
    try:
        tls(network.ca_file)
    except ConfigurationError as error:
        reason = "Fix the file: until then nothing is sent to CRMs, analytics and webhooks."
        return fail("certificate file", error.message, reason)
    return ok("certificate file", f"{network.ca_file} is trusted in addition to the system's")


async def _proxy(network: Network) -> Finding:
    address = httpx.URL(network.proxy)
    port = address.port or (443 if address.scheme == "https" else 80)
    where = f"{address.host}:{port}"
    try:
        async with asyncio.timeout(SECONDS):
            _, writer = await asyncio.open_connection(address.host, port)
    except (OSError, TimeoutError) as error:
        reason = str(error) or f"no answer within {SECONDS:.0f} s"
        advice = "Start it, or change RINGTRACE_HTTP_PROXY and restart `ringtrace run`."
        return fail("proxy", f"{where}: {reason}", advice)
    writer.close()
    return ok("proxy", f"{where} answers; not used for: {', '.join(network.direct)}")
