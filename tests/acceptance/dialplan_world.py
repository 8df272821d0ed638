"""Our dialplan in a real Asterisk, without any process of ours: a carrier and two company lines of
which every SIP line can be chosen. Calls go by the fallback file.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from router.asterisk.cel_log import CelLog
from router.asterisk.files import Places, write_configuration, write_fallback
from router.asterisk.process import Console, find_installation, inherits_headers
from router.asterisk.trunks import Side, Trunk, TrunkKind, Trunks
from router.domain.calls.call import Call
from router.domain.calls.cel_facts import facts
from router.domain.calls.folding import fold
from router.domain.calls.ledger import Ledger, Row
from router.domain.calls.routing import FallbackEntry
from router.errors import AsteriskUnavailable
from tests.acceptance.raw_media import sdp
from tests.acceptance.raw_message import SipMessage
from tests.acceptance.raw_phone import RawDialog, RawPhone
from tests.support.ports import free_port

NUMBERS = ("74951234567", "74957654321")
CARRIER, FIRST, SECOND = "127.0.0.2", "127.0.0.3", "127.0.0.4"
OWN = {  # an administrator's own queue
    "extensions.conf": """
[our-queues]
exten => 600,1,Answer()
 same => n,Queue(sales,t,,,60)
 same => n,Hangup()
exten => 601,1,Answer()
 same => n,Queue(sales,t,,,6)
 same => n,Hangup()
""",
    "queues.conf": "[sales]\nstrategy = ringall\ntimeout = 60\nmember => PJSIP/first\n",
}


@dataclass(kw_only=True)
class World:
    """The Asterisk, and what is at the other ends of its trunks."""

    places: Places
    console: Console
    carrier: RawPhone
    first: RawPhone
    second: RawPhone
    # calls of other tests: Asterisk repeats an INVITE that it gave up
    _former: set[str] = field(default_factory=set)
    _taken: set[str] = field(default_factory=set)

    def route(self, *steps: str) -> None:
        """Where all numbers go, e.g. `PJSIP/first~20`."""
        line = "^".join(steps)
        numbers = (
            FallbackEntry(key=number, route=f"+{number}|office|||||{line}") for number in NUMBERS
        )
        write_fallback(
            self.places.fallback,
            (FallbackEntry(key="default", route=f"|office|||||{line}"), *numbers),
        )

    async def call(self, to: str = NUMBERS[0], *headers: str, **who: str) -> RawDialog:
        """One call from the carrier, with its final answer."""
        return await self.carrier.call(
            to, sdp(await self.carrier.new_media()), headers, timeout=180, **who
        )

    def rows(self, linkedid: str = "") -> list[Row]:
        """What the CEL log says, of all calls or of one."""
        cel_log, cursor, found = CelLog(self.places.cel_log), None, []
        while (batch := cel_log.read(cursor)) is not None:
            assert batch.rejected == []
            found += batch.rows
            cursor = batch.cursor
        return [row for row in found if linkedid in {"", row.linkedid}]

    async def ended(self, count: int = 1) -> list[Call]:
        """The calls of the CEL log, when so many have ended."""
        async with asyncio.timeout(180):
            while True:
                rows = self.rows() if self.places.cel_log.exists() else []
                ledger = Ledger()
                for row in rows:
                    ledger.add(row)
                calls = [call for group in ledger for call in fold(group.rows)]
                if sum(call.ended_at is not None for call in calls) >= count:
                    return calls
                await asyncio.sleep(0.05)

    async def talking(self, endpoint: str) -> None:
        """Wait until this phone is in a bridge: one that hangs up before has not talked."""
        async with asyncio.timeout(180):
            while not any(
                row.event == "BRIDGE_ENTER" and row.channel.startswith(f"PJSIP/{endpoint}-")
                for row in self.rows()
            ):
                await asyncio.sleep(0.05)

    def said(self, event: str) -> list[dict[str, str]]:
        """The facts of our own events of that name."""
        return [facts(row) for row in self.rows() if row.event == event]

    async def forget(self) -> None:
        """Begin a new CEL log, when all channels are gone."""
        await self.console.run("channel request hangup all")
        async with asyncio.timeout(180):
            while "0 active channels" not in await self.console.run("core show channels count"):
                await asyncio.sleep(0.05)
        self.places.cel_log.unlink(missing_ok=True)
        self._former.update(
            message.header("Call-ID")
            for phone in (self.first, self.second)
            for message in phone.seen
        )

    async def asked(self, phone: RawPhone) -> SipMessage:
        """The next call that comes to a phone."""

        def new(message: SipMessage) -> bool:
            call = message.header("Call-ID")
            return (
                message.first.startswith("INVITE ")
                and call not in self._former
                and call not in self._taken
            )

        invite = await phone.expect(new, 180)
        self._taken.add(invite.header("Call-ID"))
        return invite

    def invites(self, phone: RawPhone) -> list[SipMessage]:
        """The calls that came to a phone, repetitions apart."""
        found = {
            message.header("Call-ID"): message
            for message in phone.seen
            if message.first.startswith("INVITE ")
        }
        return [message for call, message in found.items() if call not in self._former]


@asynccontextmanager
async def world(**changes: object) -> AsyncIterator[World]:
    """An Asterisk with our configuration, and its neighbours."""
    home, found = Path(tempfile.mkdtemp(prefix="rtd-")), find_installation()
    places = Places(
        home=home,
        spool=home / "spool",
        fallback=home / "etc/ringtrace/fallback.conf",
        cel_log=home / "log/cel-custom/cel.csv",
        answers=home / "answers",
        modules=found.modules,
        data=found.data,
        run=home / "run",
        sip_bind="127.0.0.1",
        sip_port=free_port(),
        ami_port=free_port(),
        rtp_start=38000,
        rtp_end=38400,
        system_name="d1",
        deadline_ms=300,
        inherits_headers=inherits_headers(found.modules),
        advanced_cel=True,
        transfer_context="ringtrace-from-company",
        ami_password="secret",
        copies_port=free_port(),
        copies_key="key",
    )
    places = replace(places, **changes)  # type: ignore[arg-type]
    try:
        config = write_configuration(places)
        for name, text in OWN.items():
            path = config.parent / "custom" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        console = Console(launch=str(found.launch), config=config)
        port = places.sip_port
        async with (
            RawPhone(CARRIER, port) as carrier,
            RawPhone(FIRST, port) as first,
            RawPhone(SECOND, port) as second,
        ):
            _trunks(places, first, second)
            async with asterisk(str(found.launch), config, console):
                yield World(
                    places=places, console=console, carrier=carrier, first=first, second=second
                )
    finally:
        shutil.rmtree(home)


def _trunks(places: Places, first: RawPhone, second: RawPhone) -> None:
    trunks = Trunks(places.home / "etc/ringtrace")
    trunks.add(
        Trunk(name="carrier", kind=TrunkKind.REGISTRATION, host=CARRIER, user=NUMBERS[1]), "secret"
    )
    for name, phone in (("first", first), ("second", second)):
        host = f"{phone.host}:{phone.port}"
        trunks.add(
            Trunk(name=name, kind=TrunkKind.IP, side=Side.COMPANY, host=host, match=(phone.host,))
        )


@asynccontextmanager
async def asterisk(launch: str, config: Path, console: Console) -> AsyncIterator[None]:
    """An Asterisk while it runs."""
    log = (config.parent / "output").open("wb")
    null = asyncio.subprocess.DEVNULL
    with log:
        process = await asyncio.create_subprocess_exec(
            launch, "-f", "-n", "-C", str(config), stdin=null, stdout=log, stderr=log
        )
    try:
        async with asyncio.timeout(180):
            while True:
                with suppress(AsteriskUnavailable):
                    await console.run("core waitfullybooted")
                    break
                await asyncio.sleep(0.1)
        yield
    finally:
        process.kill()
        await process.wait()


async def rings(plan: World, phone: RawPhone, status: str = "") -> None:
    """Ring at the next call; refuse it with `status` where one is given."""
    invite = await plan.asked(phone)
    phone.reply(invite, "180 Ringing")
    if status:
        phone.reply(invite, status)
