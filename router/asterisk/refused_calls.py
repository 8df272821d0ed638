"""Counts calls that Asterisk refused before the dialplan, e.g. for their codecs; they leave no
other trace. Asterisk copies each SIP message to a local port. Counts are in a small file, which
`ringtrace doctor` and `ringtrace trunk` show.
"""

import asyncio
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Container, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Any

import structlog

from router.asterisk.sip_copies import Offer, Refusal, describe_refused, read_copy
from router.atomic_file import write_whole
from router.errors import AsteriskUnavailable
from router.service.clock import Clock

log = structlog.get_logger()

# Status codes of Asterisk itself, never of the dialplan: the request, its URI, its extensions or
# its SDP is wrong.
BEFORE_THE_DIALPLAN = frozenset({400, 404, 413, 415, 416, 420, 421, 422, 481, 484, 488, 500, 606})
# status codes of a PBX that does not know us
NOT_KNOWN = frozenset({401, 403, 407})
ASKED_AGAIN = NOT_KNOWN | {422}  # the same call comes again, with a password or a longer timer
# what it says where it cannot do what a call of ours offers
NOT_TAKEN = frozenset({415, 420, 488, 606})
OUR_CALL = "a call of ours"
PLAIN_SOUND = "unencrypted media, but this trunk requires encryption"
OPEN_CALLS = 5000  # pending offers
MOST = 50  # lines of the file
KEPT = timedelta(days=30)
PORT_TAKEN_PAUSE = 60.0
PAUSE = 1.0  # seconds between two times that the file is written
Networks = Mapping[str, Iterable[IPv4Network | IPv6Network]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedCall:
    """Calls of one trunk that were refused for one reason."""

    trunk: str
    status: int
    offered: str
    count: int
    first_at: datetime
    last_at: datetime

    @property
    def advice(self) -> str:
        """How to fix it."""
        if self.offered == OUR_CALL and self.status in NOT_KNOWN:
            return (
                f"{self.trunk} does not accept calls from this machine, or from this caller: "
                "allow them there."
            )
        if self.offered == OUR_CALL:
            return (
                f"{self.trunk} accepts no codec that is offered: allow PCMA or PCMU (G.711) "
                "there, and encrypted media (SDES) only if both sides have it."
            )
        if self.offered == PLAIN_SOUND:
            return (
                "Ask for encrypted media (SRTP with SDES), or `ringtrace trunk change "
                f"{self.trunk} --no-srtp-required --srtp`."
            )
        if self.offered == "encrypted sound alone":
            return (
                f"`ringtrace trunk change {self.trunk} --srtp`, or ask for calls without "
                "encryption. Where --srtp is set, ask for keys in the SDP (SDES), not for DTLS."
            )
        if self.offered.startswith("the codecs"):
            return "Ask the carrier to offer PCMA or PCMU (G.711)."
        return (
            "Send this line to the carrier; `pjsip set logger on` at Asterisk's console shows "
            "the messages."
        )


def read_refused(path: Path) -> list[RefusedCall]:
    """The counts, latest first; empty without counts, or if the file is damaged."""
    try:
        return [_parse(values) for values in json.loads(path.read_text())]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return []


def _parse(values: dict[str, Any]) -> RefusedCall:
    return RefusedCall(
        trunk=str(values["trunk"]),
        status=int(values["status"]),
        offered=str(values["offered"]),
        count=int(values["count"]),
        first_at=datetime.fromisoformat(values["first_at"]).astimezone(UTC),
        last_at=datetime.fromisoformat(values["last_at"]).astimezone(UTC),
    )


class RefusedCalls(asyncio.DatagramProtocol):
    """Counts them until cancelled."""

    def __init__(
        self,
        path: Path,
        key: str,
        networks: Callable[[], Awaitable[Networks]],
        clock: Clock,
        encrypted: Callable[[], Container[str]] = tuple,
    ) -> None:
        self._path, self._key, self._networks, self._clock = path, key.encode(), networks, clock
        self._encrypted = encrypted  # the trunks that must not send plain sound
        self._offers: OrderedDict[bytes, Offer] = OrderedDict()
        self._refused: list[tuple[Offer, Refusal]] = []

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Take a copy of a message."""
        copy = read_copy(data, self._key)
        if isinstance(copy, Offer):
            self._offers[copy.call_id] = copy
            if len(self._offers) > OPEN_CALLS:
                self._offers.popitem(last=False)
        elif isinstance(copy, Refusal):
            offer = self._offers.pop(copy.call_id, None)
            if (
                offer
                and copy.status in BEFORE_THE_DIALPLAN | NOT_KNOWN
                and len(self._refused) < OPEN_CALLS
            ):
                self._refused.append((offer, copy))

    async def run(self, port: int) -> None:
        """Listen on this loopback port, and store new counts once a second."""
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.create_datagram_endpoint(
                lambda: self, local_addr=("127.0.0.1", port)
            )
        except OSError as error:
            log.warning("refused_calls_not_counted", port=port, reason=str(error))
            await asyncio.sleep(PORT_TAKEN_PAUSE)  # it is tried again then
            return
        try:
            while True:
                await asyncio.sleep(PAUSE)
                if self._refused:
                    await self._write()
        finally:
            transport.close()

    async def _write(self) -> None:
        refused, self._refused = self._refused, []
        try:
            networks = await self._networks()
        except AsteriskUnavailable as error:
            log.warning("trunk_of_a_refused_call_unknown", reason=error.message)
            self._keep(refused)
            return
        before = known = read_refused(self._path)
        for offer, refusal in refused:
            if refusal.status in ASKED_AGAIN and refusal.call_id in self._offers:
                continue
            caller = ""
            if refusal.status not in NOT_KNOWN:
                caller = _trunk_of(offer.source, networks)

            called = ""
            if not caller:
                called = _trunk_of(refusal.source, networks)

            if caller:
                known = self._count(known, caller, refusal, self._reason(caller, offer, refusal))
            elif called and refusal.status in NOT_KNOWN | NOT_TAKEN:
                known = self._count(known, called, refusal, OUR_CALL)
        if known is before:
            return
        try:
            lines = [asdict(line) for line in known]
            write_whole(self._path, json.dumps(lines, default=datetime.isoformat, indent=1))
        except OSError as error:
            log.warning("refused_calls_not_written", reason=str(error))
            self._keep(refused)

    def _keep(self, refused: list[tuple[Offer, Refusal]]) -> None:
        """Count these the next time."""
        self._refused = [*refused, *self._refused][:OPEN_CALLS]

    def _reason(self, trunk: str, offer: Offer, refusal: Refusal) -> str:
        """What was wrong with a call of this trunk."""
        described = describe_refused(offer, refusal)
        plain = refusal.status == 488 and described.startswith("the codecs")
        if plain and trunk in self._encrypted():
            return PLAIN_SOUND
        return described

    def _count(
        self, known: list[RefusedCall], trunk: str, refusal: Refusal, offered: str
    ) -> list[RefusedCall]:
        now, status = self._clock(), refusal.status
        log.warning("call_refused", trunk=trunk, status=status, offered=offered)
        old = next(
            (
                line
                for line in known
                if (line.trunk, line.status, line.offered) == (trunk, status, offered)
            ),
            None,
        )
        line = RefusedCall(
            trunk=trunk, status=status, offered=offered, count=1, first_at=now, last_at=now
        )
        if old:
            line = replace(old, count=old.count + 1, last_at=now)
        others = [other for other in known if other is not old and now - other.last_at < KEPT]
        return [line, *others][:MOST]


def _trunk_of(source: str, networks: Networks) -> str:
    address = ip_address(source)
    for name, known in networks.items():
        if any(address in network for network in known):
            return name
    return ""
