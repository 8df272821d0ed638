"""A bare Asterisk for tests of the phones themselves: two accounts, everyone else is a trunk.

Numbers: `anna` and `boris` ring the phones, 600 echoes, 403, 480, 486 and 503 refuse; 200 to 209
go, recorded, to the company line whose port was given with `line`, and so does 300, not recorded.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest_asyncio

from router.asterisk.process import find_installation
from tests.support.ports import free_port
from tests.support.priority import take_priority

MODULES = (
    "app_dial app_echo app_stack bridge_native_rtp bridge_simple chan_pjsip codec_a_mu "
    "codec_alaw codec_ulaw "
    "func_callerid func_channel func_logic func_strings pbx_config res_pjproject res_pjsip "
    "res_pjsip_authenticator_digest res_pjsip_caller_id res_pjsip_diversion res_pjsip_dlg_options "
    "res_pjsip_endpoint_identifier_ip res_pjsip_endpoint_identifier_user res_pjsip_header_funcs "
    "res_pjsip_nat res_pjsip_pubsub res_pjsip_refer res_pjsip_registrar res_pjsip_rfc3326 "
    "res_pjsip_sdp_rtp "
    "res_pjsip_session res_rtp_asterisk res_sorcery_astdb res_sorcery_config res_sorcery_memory "
    "res_timing_timerfd app_mixmonitor format_sln func_periodic_hook "
    "app_chanspy func_cut func_groupcount func_uri func_global"
)

EXTENSIONS = """
[globals]
HOME={home}
[phones]
include => recorded
exten => _[ab].,1,Set(CALLERID(name)=${IF($["${CALLERID(name)}"=""]?Anna O'Brien:${CALLERID(name)})})
 same => n,Set(REDIRECTING(from-num)=+74951234567)
 same => n,Set(REDIRECTING(count)=1)
 same => n,Dial(PJSIP/${EXTEN},20,b(headers^s^1))
 same => n,Hangup(${HANGUPCAUSE})
exten => 100,1,Dial(PJSIP/boris,20,b(headers^s^1))
 same => n,Hangup(${HANGUPCAUSE})
exten => 600,1,Answer()
 same => n,Echo()
exten => 403,1,Hangup(21)
exten => 486,1,Hangup(17)
exten => 480,1,Hangup(19)
exten => 503,1,Hangup(34)

[recorded]
exten => 300,1,Dial(PJSIP/trunk/sip:300@127.0.0.1:${LINE300},30)
 same => n,Hangup(${HANGUPCAUSE})
exten => _20X,1,MixMonitor(,r(${HOME}/${EXTEN}-caller.sln)t(${HOME}/${EXTEN}-company.sln))
 same => n,Dial(PJSIP/trunk/sip:${EXTEN}@127.0.0.1:${LINE${EXTEN}},30)
 same => n,Hangup(${HANGUPCAUSE})

[headers]
exten => s,1,Set(PJSIP_HEADER(add,X-Google-Client-ID)=1234567890.1700000000)
 same => n,Return()
"""  # noqa: E501


def pjsip(port: int) -> str:
    """Two phones that register, and anything else that sends from this machine as a trunk."""
    phones = "".join(
        f"""
[{name}]
type=endpoint
context=phones
disallow=all
allow=alaw,ulaw
auth={name}
aors={name}
direct_media=no
[{name}]
type=auth
auth_type=userpass
username={name}
password=secret-{name}
[{name}]
type=aor
max_contacts=1
remove_existing=yes
qualify_frequency=1
"""
        for name in ("anna", "boris")
    )
    return f"""
[global]
type=global
endpoint_identifier_order=username,ip
[udp]
type=transport
protocol=udp
bind=127.0.0.1:{port}
{phones}
[trunk]
type=endpoint
context=phones
disallow=all
allow=alaw
direct_media=no
trust_id_inbound=yes
aors=trunk
[trunk]
type=aor
[trunk]
type=identify
endpoint=trunk
match=127.0.0.1
"""


class BareAsterisk:
    """A bare Asterisk in a directory: its SIP port, its command line."""

    def __init__(self, home: Path, port: int, launch: list[str]) -> None:
        self.home, self.port, self._launch = home, port, launch

    async def line(self, number: int, port: int) -> None:
        """Let 200 to 209 or 300 ring at `port` of this machine."""
        await self.command(f"dialplan set global LINE{number} {port}")

    async def command(self, line: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *self._launch,
            "-C",
            str(self.home / "asterisk.conf"),
            "-rx",
            line,
            stdout=asyncio.subprocess.PIPE,
        )
        return (await process.communicate())[0].decode()


def _sound_first() -> None:
    """Go before other programs, where the system permits it: a late recording loses sound."""
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


@pytest_asyncio.fixture
async def bare_asterisk(tmp_path: Path) -> AsyncIterator[BareAsterisk]:
    take_priority()
    found = find_installation()
    launch = [str(found.launch)]
    port = free_port()
    home = tmp_path / "asterisk"
    for directory in ("var", "run", "log", "spool", "agi"):
        (home / directory).mkdir(parents=True)
    files = {
        "asterisk.conf": f"[directories]\nastetcdir={home}\nastmoddir={found.modules}\n"
        f"astvarlibdir={home}/var\nastdbdir={home}/var\nastdatadir={found.data}\n"
        f"astspooldir={home}/spool\nastrundir={home}/run\nastlogdir={home}/log\nastagidir={home}/agi\n"
        "[options]\nnofork=yes\n",
        "modules.conf": "[modules]\nautoload=no\n"
        + "".join(f"load={name}.so\n" for name in MODULES.split()),
        "extensions.conf": EXTENSIONS.replace("{home}", str(home)),
        "pjsip.conf": pjsip(port),
        "rtp.conf": "[general]\nrtpstart=20000\nrtpend=24000\n",
        "logger.conf": "[logfiles]\nfull=notice,warning,error,verbose\n",
    }
    for name, text in files.items():
        (home / name).write_text(text)
    log = (home / "stdout").open("wb")
    process = await asyncio.create_subprocess_exec(
        *launch,
        "-C",
        str(home / "asterisk.conf"),
        "-f",
        stdout=log,
        stderr=log,
        stdin=asyncio.subprocess.DEVNULL,
        preexec_fn=_sound_first,
    )
    server = BareAsterisk(home, port, launch)
    try:
        async with asyncio.timeout(180):
            while "fully booted" not in await server.command("core waitfullybooted"):
                await asyncio.sleep(0.1)
        yield server
    finally:
        process.terminate()
        await process.wait()
        log.close()
