"""The manager's account and the trunks' secrets, as a real Asterisk understands what we write."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from router.asterisk import ami as ami_module
from router.asterisk.ami import Ami, Connected
from router.asterisk.files import Places, write_configuration
from router.asterisk.process import Console, find_installation, living_channels
from router.asterisk.trunks import Trunk, TrunkKind, Trunks
from router.errors import AsteriskUnavailable, LoginRefused
from tests.support.asterisk_manager import running, until
from tests.support.ports import free_port

PASSWORDS = {
    "plain": "s3cret",
    "semicolon": "a;b;",
    "backslash": "a\\b",
    "both": "a\\;b",
    "comment": ";--x",
    "hash": "#",
}

# What a stolen secret would be used for: to read passwords, run programs, write files, call out,
# change what is set up.
REFUSED = (
    ("Setvar", {"Variable": "RINGTRACE_SPOOL", "Value": "x)),id > /tmp/x #("}),
    ("Setvar", {"Variable": "SHELL(id)", "Value": "x"}),
    ("Getvar", {"Variable": "AST_CONFIG(pjsip.conf,plain,password)"}),
    ("Getvar", {"Variable": "FILE(/etc/passwd)"}),
    (
        "Redirect",
        {
            "Channel": "PJSIP/x-1",
            "Exten": "s",
            "Context": "ringtrace-company-line",
            "Priority": "1",
        },
    ),
    ("Originate", {"Channel": "Local/s@ringtrace-alone", "Application": "System", "Data": "id"}),
    ("Command", {"Command": "core show version"}),
    ("GetConfig", {"Filename": "manager.conf"}),
    (
        "UpdateConfig",
        {"SrcFilename": "manager.conf", "DstFilename": "manager.conf", "Reload": "yes"},
    ),
    ("ModuleLoad", {"LoadType": "reload"}),
    ("Reload", {"Module": "pjsip"}),
    ("DBPut", {"Family": "x", "Key": "y", "Val": "z"}),
    ("MixMonitor", {"Channel": "PJSIP/x-1", "File": "/tmp/x.wav", "Command": "id"}),
    ("StopMixMonitor", {"Channel": "PJSIP/x-1"}),
    ("Hangup", {"Channel": "/.*/"}),
    ("BlindTransfer", {"Channel": "PJSIP/x-1", "Exten": "1", "Context": "ringtrace-from-company"}),
    ("Atxfer", {"Channel": "PJSIP/x-1", "Exten": "1", "Context": "ringtrace-from-company"}),
    ("Bridge", {"Channel1": "PJSIP/x-1", "Channel2": "PJSIP/x-2"}),
    ("UserEvent", {"UserEvent": "RingtraceRoute"}),
    ("CoreShowChannels", {}),
    ("Status", {}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Real:
    """A real Asterisk with our configuration and trunks."""

    console: Console
    port: int

    def ami(self, secret: str = "secret") -> Ami:
        return Ami(host="127.0.0.1", port=self.port, username="ringtrace", secret=secret)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asterisk itself waits for a second before it refuses a secret: half of what an agent waits
    for an answer.
    """
    monkeypatch.setattr(ami_module, "REPLY_SECONDS", 60)


@pytest_asyncio.fixture
async def real() -> AsyncIterator[Real]:
    home, found, port = Path(tempfile.mkdtemp(prefix="rta-")), find_installation(), free_port()
    config = write_configuration(
        Places(
            home=home,
            spool=home / "spool",
            fallback=home / "etc/ringtrace/fallback.conf",
            cel_log=home / "log/cel.csv",
            answers=home / "answers",
            modules=found.modules,
            data=found.data,
            run=home / "run",
            sip_bind="127.0.0.1",
            sip_port=free_port(),
            ami_port=port,
            rtp_start=30000,
            rtp_end=30100,
            system_name="t1",
            deadline_ms=300,
            inherits_headers=True,
            transfer_context="ringtrace-from-company",
            ami_password="secret",
            copies_port=free_port(),
            copies_key="secret",
        )
    )
    trunks = Trunks(home / "etc/ringtrace")
    for name, password in PASSWORDS.items():
        trunks.add(
            Trunk(name=name, kind=TrunkKind.REGISTRATION, host="127.0.0.1", user=name), password
        )
    console = Console(launch=str(found.launch), config=config)
    null = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        str(found.launch), "-f", "-n", "-C", str(config), stdout=null, stderr=null, stdin=null
    )
    try:
        async with asyncio.timeout(180):
            while True:
                with suppress(AsteriskUnavailable):
                    await console.run("core waitfullybooted")
                    break
                await asyncio.sleep(0.1)
        yield Real(console=console, port=port)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        shutil.rmtree(home)


async def test_the_account_may_do_what_the_agent_needs_and_nothing_else(real: Real) -> None:
    ami = real.ami()
    async with running(ami.run()):
        assert await ami.events.get() == Connected()
        assert (await ami.ask("Ping")).success
        for action, fields in REFUSED:
            assert (await ami.ask(action, **fields)).response == "Error", action
        assert "RINGTRACE" not in await real.console.run("dialplan show globals")
        assert await living_channels(real.console) == frozenset()
        await real.console.run("core stop now")
        await until(lambda: not ami.connected)


async def test_what_a_host_sets_for_all_accounts_keeps_out_none_of_ours(real: Real) -> None:
    """Agent and doctor are logged in at the same time, on one account."""
    settings = Path(real.console.config or "").with_name("manager.conf")
    hosts = "timestampevents = yes\nallowmultiplelogin = no\ndebug = on\nauthtimeout = 30"
    written = settings.read_text().replace("timestampevents = no", hosts)
    for text in (written.replace("#include", ";"), written):  # the account is made with it
        settings.write_text(text)
        await real.console.run("manager reload")
    agent = real.ami()
    async with running(agent.run()):
        assert await agent.events.get() == Connected()
        async with real.ami().session() as doctor:
            assert (await doctor.ask({"Action": "Ping"})).response == "Success"
        assert (await agent.ask("Ping")).success


async def test_a_wrong_secret_is_refused(real: Real) -> None:
    async def connect() -> None:
        async with real.ami("wrong").session():
            pass

    with pytest.raises(LoginRefused):
        await connect()


async def test_every_password_is_read_as_it_was_given(real: Real) -> None:
    for name, password in PASSWORDS.items():
        shown = (await real.console.run(f"pjsip show auth {name}")).splitlines()
        assert [
            line.partition(": ")[2].strip() for line in shown if line.split()[:1] == ["password"]
        ] == [password]
