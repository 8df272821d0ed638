"""How long the certificates of servers are still valid."""

import asyncio
import ssl
import time

from router.cli.doctor.finding import Finding, ok, warn

SECONDS = 5.0  # until the other side has to answer
SOON = 14  # days before a certificate ends


async def days_left(host: str, port: int, context: ssl.SSLContext, name: str) -> float:
    """How many days a server's certificate is still valid. Raises what is wrong with it."""
    async with asyncio.timeout(SECONDS):
        _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=name)
    ends: str = writer.get_extra_info("peercert")["notAfter"]
    writer.close()
    return (ssl.cert_time_to_seconds(ends) - time.time()) / 86_400


def lasting(name: str, days: float, advice: str) -> Finding:
    """A certificate that is valid for so long."""
    if days < SOON:
        return warn(name, f"it ends in {days:.0f} days", advice)
    return ok(name, f"valid for {days:.0f} days")
