"""Reads endpoints, registrations and contacts from Asterisk's console. The console cuts long
addresses, but not names: a line begins with the object's name and ends with its state.
"""

import asyncio
import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from router.asterisk.process import Console
from router.asterisk.trunk_conf import HINT
from router.errors import AsteriskUnavailable

APPEARS_SECONDS = 5.0  # after a reload
_ENDPOINT = re.compile(r"^\s*Endpoint:\s+([^\s/<]+)(?:/\S*)?\s{2,}\S", re.MULTILINE)
_REGISTRATION = re.compile(r"^\s*([^\s/<]+)/sip\S*\s+\S+\s+([A-Z][a-z]+)", re.MULTILINE)
_CONTACT = re.compile(
    r"^\s*Contact:\s+([^\s/<]+)/(\S+)\s+[0-9a-f]{10}\s+(Avail|Unavail|NonQual|Unknown|Created|Removed)\s+(\S+)",
    re.MULTILINE,
)
_IDENTIFY = re.compile(r"^\s*Identify:\s+[^\s/<]+/(\S+)\s*$", re.MULTILINE)
_TRANSPORT = re.compile(r"^\s*Transport:\s+\S+\s+(udp|tcp|tls)\s+\S+\s+\S+\s+(\S)", re.MULTILINE)
_MATCH = re.compile(r"^\s*Match:\s+([0-9A-Fa-f.:]+/\d+)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A contact of an endpoint, with the result of OPTIONS."""

    uri: str  # may be cut
    state: str  # Avail, Unavail, NonQual (not asked yet) …
    milliseconds: float | None


class Pjsip:
    """Queries to a running Asterisk. Each raises `AsteriskUnavailable`."""

    def __init__(self, console: Console) -> None:
        self._console = console

    async def endpoints(self) -> frozenset[str]:
        """The names of all endpoints."""
        return frozenset(_ENDPOINT.findall(await self._console.run("pjsip show endpoints")))

    async def registrations(self) -> dict[str, str]:
        """Our registrations elsewhere: name → Registered, Unregistered, Rejected …"""
        return dict(_REGISTRATION.findall(await self._console.run("pjsip show registrations")))

    async def contacts(self) -> dict[str, list[Contact]]:
        """The contact of each endpoint (Ringtrace's are named like their AOR); of two, the one with
        OPTIONS.
        """
        found: dict[str, list[Contact]] = {}
        for name, uri, state, time in _CONTACT.findall(
            await self._console.run("pjsip show contacts")
        ):
            milliseconds = None
            if state == "Avail" and time.replace(".", "").isdigit():
                milliseconds = float(time)

            contact = Contact(uri=uri, state=state, milliseconds=milliseconds)
            found.setdefault(name, []).append(contact)
        asked_ones = {}
        for name, known in found.items():
            if name.endswith(HINT):
                asked_ones[name.removesuffix(HINT)] = known

        return {
            name: known for name, known in found.items() if not name.endswith(HINT)
        } | asked_ones

    async def networks(self) -> dict[str, set[IPv4Network | IPv6Network]]:
        """The addresses of each endpoint as resolved by Asterisk, including hand-written ones."""
        found: dict[str, set[IPv4Network | IPv6Network]] = {}
        said = await self._console.run("pjsip show identifies")
        pieces = _IDENTIFY.split(said)
        for name, lines in zip(pieces[1::2], pieces[2::2], strict=True):
            found.setdefault(name, set()).update(
                ip_network(match) for match in _MATCH.findall(lines)
            )
        return found

    async def transports(self, *, ipv6: bool = False) -> set[str]:
        """The protocols that SIP can be sent over, to an address of IPv4 or of IPv6: udp, tcp,
        tls.
        """
        shown = _TRANSPORT.findall(await self._console.run("pjsip show transports"))
        return {protocol for protocol, bind in shown if (bind == "[") == ipv6}

    async def identified(self, name: str) -> bool:
        """Whether calls from this trunk's address are recognised."""
        return f"{name}-identify/{name}" in await self._console.run(
            f"pjsip show identify {name}-identify"
        )

    async def reload(self) -> None:
        """Reload the configuration; calls are not interrupted."""
        said = await self._console.run("module reload res_pjsip.so")
        if "reloaded successfully" not in said and "queued" not in said:
            raise AsteriskUnavailable(f"Asterisk did not read its SIP configuration: {said[:200]}")

    async def appears(self, name: str, *, identified: bool) -> bool:
        """Whether an endpoint is loaded soon after a reload, and its address if `identified`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + APPEARS_SECONDS
        while True:
            if name in await self.endpoints() and (not identified or await self.identified(name)):
                return True
            if loop.time() > deadline:
                return False
            await asyncio.sleep(0.2)
