"""Keeps the addresses of carriers' host names up to date. Asterisk resolves the hosts of trunks
once, when it loads them. Calls would be refused if a carrier moves, rotates its addresses, or
its name server comes up after Asterisk. So every address seen is stored and accepted for a day.
"""

import asyncio
import json
import socket
import time
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from pathlib import Path

import structlog

from router.asterisk.pjsip import Pjsip
from router.asterisk.trunks import Trunk, TrunkKind, Trunks
from router.atomic_file import write_whole
from router.errors import RingtraceError

log = structlog.get_logger()

EVERY = 30.0  # seconds
REST = 60.0  # between two times that SIP is read again
KEPT = 24 * 3600.0  # time since an address was last seen
REMEMBERED = 3600.0  # interval for updating the time of a seen address
MOST = 100  # addresses of a trunk
_HEAD = "; Addresses of carriers' host names, each kept for a day. Written by the agent.\n"
Resolve = Callable[[str], Awaitable[frozenset[str]]]
# trunk → address → when it was last seen, seconds since the epoch
Seen = dict[str, dict[str, float]]


async def addresses_of(host: str) -> frozenset[str]:
    """Resolve a host name; empty if that fails."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except OSError:
        return frozenset()
    return frozenset(str(address[0]) for *_, address in found)


class Names:
    """Reloads Asterisk's trunks when a host has a new address."""

    def __init__(
        self, directory: Path, pjsip: Callable[[], Pjsip], resolve: Resolve = addresses_of
    ) -> None:
        self._trunks, self._pjsip, self._resolve = Trunks(directory), pjsip, resolve
        self._file = directory / "trunk-addresses.conf"
        self._written = _read(self._file)
        self._seen = self._written
        self._rests_until = float("-inf")  # by a monotonic clock
        self._unread = set[str]()  # written, but not yet loaded by Asterisk

    async def watch(self) -> None:
        """Check until cancelled."""
        failing = False
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.look(time.time(), time.monotonic())
                failing = False
            except (RingtraceError, OSError) as error:
                if not failing:
                    log.warning("trunk_names_not_seen", reason=str(error))
                failing = True

    async def look(self, now: float, ticks: float | None = None) -> list[str]:
        """Update addresses; returns the trunks with new ones. `now`: seconds since the epoch;
        `ticks`: monotonic clock.
        """
        if ticks is None:
            ticks = now

        names = {trunk.name: host for trunk in self._trunks.all() if (host := _name_of(trunk))}
        seen = self._seen = {name: dict(self._seen.get(name, {})) for name in names}
        for name, host in names.items():
            seen[name].update(dict.fromkeys(await self._resolve(host), now))

        moved = [name for name in names if seen[name].keys() - self._written.get(name, {}).keys()]
        lost = [name for name in names if seen[name] and not await self._pjsip().identified(name)]
        changed = sorted({*moved, *lost, *(self._unread & names.keys())})
        if changed and ticks < self._rests_until:
            return []

        self._unread = set(changed)
        self._write(seen, now)
        if changed:
            log.warning("trunk_names_read_again", moved=moved, lost=lost)
            await self._pjsip().reload()
            self._unread.clear()
            self._rests_until = ticks + REST
        return changed

    def _write(self, seen: Seen, now: float) -> None:
        """Write the addresses if they changed, other than their times."""
        kept = {}
        for name, addresses in seen.items():
            if latest := _latest(addresses, now):
                kept[name] = latest

        if kept.keys() == self._written.keys() and all(
            _alike(kept[name], self._written[name]) for name in kept
        ):
            return
        sections = [f"; seen {json.dumps(kept, sort_keys=True)}"]
        for name, addresses in kept.items():
            sections += [f"[{name}-seen]", "type = identify", f"endpoint = {name}"]
            sections += [f"match = {address}" for address in sorted(addresses)]
        write_whole(self._file, _HEAD + "\n".join(sections) + "\n")
        self._written = self._seen = kept


def _latest(addresses: dict[str, float], now: float) -> dict[str, float]:
    fresh = sorted((at, address) for address, at in addresses.items() if now - at < KEPT)
    return {address: at for at, address in fresh[-MOST:]}


def _alike(ours: dict[str, float], written: dict[str, float]) -> bool:
    same = ours.keys() == written.keys()
    return same and all(abs(at - written[address]) < REMEMBERED for address, at in ours.items())


def _read(path: Path) -> Seen:
    """Read the addresses; empty if the file is missing or damaged."""
    try:
        line = next(line for line in path.read_text().splitlines() if line.startswith("; seen "))
        read = json.loads(line.removeprefix("; seen "))
        addresses = {}
        for name, known in read.items():
            addresses[str(name)] = {str(ip_address(a)): float(at) for a, at in known.items()}
        return addresses
    except (OSError, StopIteration, ValueError, AttributeError, TypeError, RecursionError):
        return {}


def _name_of(trunk: Trunk) -> str | None:
    """The host name of a trunk, if it has one."""
    host = trunk.address
    if trunk.kind is TrunkKind.ACCOUNT or trunk.match or not host:
        return None
    try:
        ip_address(host)
    except ValueError:
        return host
    return None
