"""Sees to it that carriers are known by the addresses that their names have now.

Asterisk looks up the hosts of its trunks once, when it reads them. A carrier that moves, or a name server that is up
later than Asterisk after a power cut, would leave every call of theirs refused.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import ip_address

import structlog

from router.asterisk.pjsip import Pjsip
from router.asterisk.trunks import Trunk, TrunkKind, Trunks
from router.errors import RingtraceError

log = structlog.get_logger()

EVERY = 30.0  # seconds
REST = 600.0  # a carrier may have more addresses than it tells at a time
Resolve = Callable[[str], Awaitable[frozenset[str]]]


async def addresses_of(host: str) -> frozenset[str]:
    """What a host's name means now; nothing where nobody knows."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except OSError:
        return frozenset()
    return frozenset(str(address[0]) for *_, address in found)


class Names:
    """Lets Asterisk read its trunks anew when the host of one of them has another address."""

    def __init__(self, trunks: Trunks, pjsip: Callable[[], Pjsip], resolve: Resolve = addresses_of) -> None:
        self._trunks, self._pjsip, self._resolve = trunks, pjsip, resolve
        self._known: dict[str, frozenset[str]] = {}
        self._rests_until = 0.0

    async def watch(self) -> None:
        """Look until cancelled."""
        failing = False
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.look(asyncio.get_running_loop().time())
                failing = False
            except (RingtraceError, OSError) as error:
                if not failing:
                    log.warning("trunk_names_not_seen", reason=str(error))
                failing = True

    async def look(self, now: float) -> list[str]:
        """The trunks whose calls Asterisk would not have known; it does after this. `now`: seconds of any clock."""
        means: dict[str, frozenset[str]] = {}
        for trunk in self._trunks.all():
            if (host := _name_of(trunk)) and (addresses := await self._resolve(host)):
                means[trunk.name] = addresses
        known = {name: self._known.setdefault(name, addresses) for name, addresses in means.items()}
        moved = [name for name, addresses in means.items() if not addresses <= known[name]]
        lost = [name for name in means if name not in moved and not await self._pjsip().identified(name)]
        if not lost and not (moved and now >= self._rests_until):
            return []
        log.warning("trunk_names_read_anew", moved=moved, lost=lost)
        await self._pjsip().reload()
        self._known |= means
        self._rests_until = now + REST
        return [*moved, *lost]


def _name_of(trunk: Trunk) -> str | None:
    """The host that a trunk's calls are known by, where it is a name."""
    host = (trunk.host or "").partition(":")[0]
    if trunk.kind is TrunkKind.ACCOUNT or trunk.match or not host:
        return None
    try:
        ip_address(host)
    except ValueError:
        return host
    return None
