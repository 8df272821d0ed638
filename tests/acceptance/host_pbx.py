"""An existing PBX, configured as FreePBX 17 generates its files, to which Ringtrace is a guest.

One carrier trunk whose context is `from-trunk`, one with FreePBX's default `from-pstn`, an
extension 101, a queue 600, a ring group 700 and an inbound route for each DID. CEL is set up as
FreePBX does it, with a date format of its own.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from router import bootstrap
from router.asterisk.process import Console, find_installation
from router.config import Settings
from tests.acceptance.dialplan_world import asterisk
from tests.acceptance.host_pbx_files import (
    FILES,
    LINES,
    MANAGER,
    PJSIP,
    directories,
    modules_to_load,
)
from tests.acceptance.raw_media import sdp
from tests.acceptance.raw_message import SipMessage
from tests.acceptance.raw_phone import RawDialog, RawPhone
from tests.support.ports import free_port

CARRIER, OTHER_CARRIER, PHONE = "127.0.0.2", "127.0.0.6", "127.0.0.3"
QUEUE_DID, GROUP_DID, PHONE_DID, TRACKED_DID = (
    "74950000600",
    "74950000700",
    "74950000101",
    "74951234567",
)


@dataclass(kw_only=True)
class HostPbx:
    """The PBX: its directory, its console, and what is at the ends of its trunks."""

    home: Path
    settings: Settings
    console: Console
    carrier: RawPhone
    other_carrier: RawPhone
    phone: RawPhone

    async def attach(self) -> None:
        """Do what the administrator's guide says."""
        await bootstrap.prepare(self.settings)
        for file, ours in LINES.items():
            path = self.home / "etc" / file
            path.write_text(f"{path.read_text()}\n#tryinclude ringtrace/{ours}\n")

    def remove_files(self) -> None:
        """Our files are gone, and the host does not know it."""
        shutil.rmtree(self.settings.ringtrace_etc)

    async def rings(self, did: str, carrier: RawPhone) -> SipMessage:
        """A call to one of its DIDs rings at extension 101, and is answered there; what 101 was
        sent.
        """
        body = sdp(await carrier.new_media())
        calling = asyncio.create_task(carrier.call(did, body, timeout=180))
        company = await self.phone.pick_up(lambda _: sdp(self.media))
        caller = await calling
        assert caller.answer is not None
        assert caller.answer.status == 200
        await asyncio.sleep(0.5)  # the call lasts this long; nothing is waited for
        await hang_up(caller, company)
        assert company.offer is not None
        return company.offer

    async def works(self) -> None:
        """Its DIDs ring where they always have, through either trunk, and its phone reaches its
        queue.
        """
        self.media = await self.phone.new_media()
        for did in (QUEUE_DID, GROUP_DID, PHONE_DID):
            for carrier in (self.carrier, self.other_carrier):
                await self.rings(did, carrier)


async def hang_up(caller: RawDialog, company: RawDialog) -> None:
    """The caller ends the call."""
    await caller.hang_up()
    await company.phone.request("BYE", 180)


@asynccontextmanager
async def host_pbx() -> AsyncIterator[HostPbx]:
    """The PBX without us, not started yet."""
    home = Path(tempfile.mkdtemp(prefix="rth-"))
    found, port, ami = find_installation(), free_port(), free_port()
    for name in ("etc", "run", "log", "spool", "lib/keys", "cache"):
        (home / name).mkdir(parents=True)
    async with (
        RawPhone(CARRIER, port) as a,
        RawPhone(OTHER_CARRIER, port) as b,
        RawPhone(PHONE, port) as phone,
    ):
        files = FILES | {
            "pjsip.conf": PJSIP.format(port=port, phone=phone.port),
            "manager.conf": MANAGER.format(port=ami),
            "modules.conf": modules_to_load(),
            "asterisk.conf": directories(home, found.modules, found.data),
        }
        for name, text in files.items():
            (home / "etc" / name).write_text(text)
        settings = Settings(
            home=home / "ringtrace",
            asterisk="external",
            asterisk_etc_path=str(home / "etc"),
            cel_log_path=str(home / "log/cel-custom/cel.csv"),
            spool_path=str(home / "spool/ringtrace"),
            answers_path=str(home / "run/ringtrace"),
            ami_port=ami,
        )
        console = Console(launch=str(found.launch), config=home / "etc/asterisk.conf")
        try:
            yield HostPbx(
                home=home,
                settings=settings,
                console=console,
                carrier=a,
                other_carrier=b,
                phone=phone,
            )
        finally:
            shutil.rmtree(home)


@asynccontextmanager
async def started(pbx: HostPbx) -> AsyncIterator[None]:
    """The PBX while its Asterisk runs."""
    async with asterisk(pbx.console.launch, pbx.home / "etc/asterisk.conf", pbx.console):
        yield
