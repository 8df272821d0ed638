"""Writes a trunk and reloads Asterisk; undoes the change if Asterisk does not load it."""

from router import asterisk_setup
from router.asterisk.pjsip import Pjsip
from router.asterisk.trunks import Transport, Trunk, TrunkKind, Trunks
from router.cli.output import note
from router.cli.trunk_state import known_networks, sharing
from router.config import Settings
from router.errors import AsteriskUnavailable, ConfigurationError, Conflict


async def add_trunk(
    settings: Settings, trunks: Trunks, trunk: Trunk, password: str | None, *, force: bool
) -> bool:
    """Add and verify a trunk; False if Asterisk does not run."""
    pjsip = await running(settings)
    if pjsip and trunk.name in await pjsip.endpoints():
        raise Conflict(f"Asterisk already has an endpoint '{trunk.name}': choose another name.")
    before = trunks.content()
    trunks.add(trunk, password)
    return await _take_up(settings, trunks, trunk, pjsip, before, force=force)


async def change_trunk(
    settings: Settings, trunks: Trunks, trunk: Trunk, password: str | None, *, force: bool
) -> bool:
    """Change and verify a trunk; False if Asterisk does not run."""
    pjsip = await running(settings)
    before = trunks.content()
    trunks.change(trunk, password)
    return await _take_up(settings, trunks, trunk, pjsip, before, force=force)


async def _take_up(
    settings: Settings,
    trunks: Trunks,
    trunk: Trunk,
    pjsip: Pjsip | None,
    before: tuple[str, str],
    *,
    force: bool,
) -> bool:
    """Reload Asterisk; restore the files if it does not load the trunk."""
    if pjsip is None:
        return False
    try:
        await _refuse_without_transport(settings, pjsip, trunk)
        await pjsip.reload()
        known_by_address = trunk.kind is TrunkKind.IP
        if not await pjsip.appears(trunk.name, identified=known_by_address):
            raise ConfigurationError(
                f"Asterisk did not load the trunk '{trunk.name}', so the change was undone. "
                f"Check that the name '{trunk.host}' resolves. Asterisk's messages are in "
                f"{log_of(settings)}."
            )
        if not force:
            await _refuse_if_shared(pjsip, trunks, trunk)
    except BaseException:
        trunks.restore(before)
        await pjsip.reload()
        raise
    return True


async def _refuse_without_transport(settings: Settings, pjsip: Pjsip, trunk: Trunk) -> None:
    if trunk.transport not in await pjsip.transports(ipv6=trunk.is_ipv6):
        raise ConfigurationError(
            f"Asterisk has no transport for {transport_of(trunk)}, so the trunk "
            f"'{trunk.name}' was not written. "
            f"{transport_advice(settings, trunk)}"
        )


def transport_of(trunk: Trunk) -> str:
    """What a trunk is sent over, in words."""
    return f"{trunk.transport.upper()}{' over IPv6' if trunk.is_ipv6 else ''}"


def transport_advice(settings: Settings, trunk: Trunk) -> str:
    """How to add the transport of a trunk to Asterisk."""
    if settings.asterisk == "external":
        address = ""
        if trunk.is_ipv6:
            address = ", bound to [::],"

        return f"Add a transport with that protocol{address} to pjsip.conf, and restart Asterisk."
    wanted = []
    if trunk.transport is Transport.TLS and not settings.sip_tls_port:
        wanted.append("RINGTRACE_SIP_TLS_PORT, usually to 5061")
    if trunk.is_ipv6 and not settings.sip_bind_v6:
        wanted.append("RINGTRACE_SIP_BIND_V6, usually to ::")
    done = "Restart"
    if wanted:
        done = f"Set {' and '.join(wanted)}, and restart"

    return f"{done} `ringtrace run`."


async def _refuse_if_shared(pjsip: Pjsip, trunks: Trunks, trunk: Trunk) -> None:
    for first, second, address in sharing(await known_networks(pjsip), trunks.all()):
        if trunk.name in {first, second}:
            if first == trunk.name:
                other = second
            else:
                other = first

            raise Conflict(
                f"The trunk '{trunk.name}' has the address {address} of the endpoint '{other}', "
                "and Asterisk would assign all calls from there to one of them. Nothing was "
                "changed; use --force to do it anyway."
            )


def log_of(settings: Settings) -> str:
    """Where Asterisk's log is."""
    if settings.asterisk == "external":
        return "the log of your Asterisk, usually /var/log/asterisk/messages or full"
    return str(settings.asterisk_home / "log/messages")


async def running(settings: Settings) -> Pjsip | None:
    """The SIP stack of a running Asterisk; None, with a remark, if it does not run."""
    pjsip = Pjsip(asterisk_setup.console(settings))
    try:
        await pjsip.endpoints()
    except AsteriskUnavailable:
        note("Asterisk is not running here; it loads its trunks at the next start.")
        return None
    return pjsip
