"""Says what the settings mean for Asterisk: its configuration files, its console, its manager
interface.
"""

import hashlib
import os
import tempfile
from pathlib import Path

from router.asterisk.ami import Ami
from router.asterisk.answers import Answers
from router.asterisk.call_backs import CallBackStarter
from router.asterisk.files import Places, share_with_host, write_configuration, write_includes
from router.asterisk.lines_down import lines_down
from router.asterisk.pjsip import Pjsip
from router.asterisk.process import (
    Console,
    Installation,
    find_installation,
    host_modules,
    inherits_headers,
    system_launch,
)
from router.asterisk.refused_calls import RefusedCalls
from router.asterisk.transports import Tls
from router.asterisk.trunks import Trunks
from router.config import Settings
from router.secrets import Secrets, load_secrets
from router.service.clock import utc_now
from router.service.ports import Store


def prepare_asterisk(settings: Settings, secrets: Secrets) -> None:
    """Write Asterisk's configuration: all of it for the embedded one, what it includes from us for
    another.
    """
    if settings.asterisk == "external":
        write_includes(settings.ringtrace_etc, _places(settings, secrets, None))
        share_with_host(settings.ringtrace_etc)
    else:
        write_configuration(_places(settings, secrets, find_installation()))
    Trunks(settings.ringtrace_etc).refresh()


def _places(settings: Settings, secrets: Secrets, found: Installation | None) -> Places:
    if found:
        modules, data = found.modules, found.data
    else:
        modules, data = host_modules(settings.asterisk_etc), Path()

    return Places(
        home=settings.asterisk_home,
        spool=settings.spool,
        fallback=settings.fallback,
        cel_log=settings.cel_log,
        answers=settings.answers,
        modules=modules,
        data=data,
        run=run_directory(settings.asterisk_home),
        sip_bind=settings.sip_bind,
        sip_port=settings.sip_port,
        sip_bind_v6=settings.sip_bind_v6,
        tls=_tls(settings),
        ami_port=settings.ami_port,
        rtp_start=settings.rtp_start,
        rtp_end=settings.rtp_end,
        system_name=settings.system_name,
        deadline_ms=settings.route_deadline_ms,
        inherits_headers=inherits_headers(modules),
        advanced_cel=(modules / "res_cdrel_custom.so").exists(),
        transfer_context=settings.transfer_context,
        jitter_buffer=settings.jitter_buffer,
        announcement=settings.call_back_announcement,
        ami_password=secrets.ami_password,
        copies_port=settings.sip_copies_port,
        copies_key=secrets.sip_copies_key,
    )


def _tls(settings: Settings) -> Tls | None:
    """SIP over TLS, where it is set."""
    if not settings.sip_tls_port:
        return None
    return Tls(
        port=settings.sip_tls_port,
        certificate=settings.sip_tls_certificate,
        key=settings.sip_tls_key,
        authorities=settings.sip_tls_authorities,
    )


def console(settings: Settings) -> Console:
    """Asterisk's console."""
    if settings.asterisk == "external":
        return Console(launch=system_launch(), config=None)
    return Console(
        launch=str(find_installation().launch), config=settings.asterisk_etc / "asterisk.conf"
    )


def open_ami(settings: Settings, secrets: Secrets) -> Ami:
    """The connection to Asterisk, not yet running."""
    return Ami(
        host=settings.ami_host,
        port=settings.ami_port,
        username="ringtrace",
        secret=secrets.ami_password,
    )


def run_directory(asterisk_home: Path) -> Path:
    """Where the control socket lies: a socket's path has 107 characters at most."""
    here = asterisk_home / "run"
    if len(str(here)) <= 80:
        return here
    digest = hashlib.sha256(str(here).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"ringtrace-{os.getuid()}-{digest}"


async def endpoints_down(settings: Settings) -> dict[str, str]:
    """The endpoints of Ringtrace that cannot be called now, each with the reason."""
    return await lines_down(settings.ringtrace_etc, Pjsip(console(settings)))


def call_back_starter(settings: Settings, store: Store) -> CallBackStarter:
    """What begins the calls back of this Asterisk."""
    return CallBackStarter(
        store=store,
        answers=Answers(settings.answers),
        console=lambda command: console(settings).run(command),
        rules=settings.call_back_rules(settings.region),
        name=settings.system_name,
        clock=utc_now,
    )


async def count_refused(settings: Settings) -> None:
    """Count the calls that Asterisk refused before the dialplan saw them."""
    pjsip, trunks = Pjsip(console(settings)), Trunks(settings.ringtrace_etc)
    refused = RefusedCalls(
        settings.refused_calls,
        load_secrets(settings.home).sip_copies_key,
        pjsip.networks,
        utc_now,
        encrypted=lambda: {trunk.name for trunk in trunks.all() if trunk.srtp_required},
    )
    await refused.run(settings.sip_copies_port)
