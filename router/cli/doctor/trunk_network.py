"""What doctor asks of the network of trunks: names that resolve, and certificates that hold."""

import asyncio
import ssl
from ipaddress import ip_address

from router.asterisk.trunk import split_host
from router.asterisk.trunk_dns import addresses_of
from router.asterisk.trunks import Transport, Trunk, TrunkKind, Trunks
from router.cli.doctor.certificates import SECONDS, days_left, lasting
from router.cli.doctor.finding import Case, Finding, fail, warn
from router.config import Settings

SIPS_PORT = 5061


async def names(case: Case) -> list[Finding]:
    """The host and the proxy of each trunk resolve, to an address that can be sent to."""
    trunks = _by_host(case.settings)
    hosts = []
    for trunk in trunks:
        for host in _hosts(trunk):
            hosts.append((trunk, host))

    found = await asyncio.gather(*(_name(case.settings, *pair) for pair in hosts))
    return [finding for finding in found if finding]


def _by_host(settings: Settings) -> list[Trunk]:
    trunks = Trunks(settings.ringtrace_etc).all()
    return [trunk for trunk in trunks if trunk.kind is not TrunkKind.ACCOUNT]


def _hosts(trunk: Trunk) -> set[str]:
    return {split_host(host)[0] for host in (trunk.host, trunk.proxy) if host}


async def _name(settings: Settings, trunk: Trunk, host: str) -> Finding | None:
    async with asyncio.timeout(SECONDS):
        addresses = await addresses_of(host)
    name = f"trunk {trunk.name}"
    if not addresses:
        return fail(
            name,
            f"the host '{host}' does not resolve here (neither A nor AAAA): calls to it fail, and "
            "its own are not recognised",
            f"Correct it with `ringtrace trunk change {trunk.name}`, or this machine's DNS; "
            f"`getent ahosts {host}` tries it.",
        )
    only_v6 = all(ip_address(address.partition("%")[0]).version == 6 for address in addresses)
    if (
        only_v6
        and not trunk.is_ipv6
        and settings.asterisk == "embedded"
        and not settings.sip_bind_v6
    ):
        return fail(
            name,
            f"the host '{host}' has IPv6 addresses alone, and Asterisk has no IPv6",
            "Set RINGTRACE_SIP_BIND_V6, usually to ::, and restart `ringtrace run`.",
        )
    return None


async def certificates(case: Case) -> list[Finding]:
    """The certificate of each trunk over TLS is one that Asterisk takes, and so is ours."""
    settings = case.settings
    authorities = settings.sip_tls_authorities
    trunks = [trunk for trunk in _by_host(settings) if trunk.transport is Transport.TLS]
    asked = [_certificate(trunk, authorities) for trunk in trunks]
    if settings.sip_tls_port and settings.sip_tls_certificate:
        asked.append(_own_certificate(settings))
    return list(await asyncio.gather(*asked))


async def _certificate(trunk: Trunk, authorities: str) -> Finding:
    name = f"certificate of trunk {trunk.name}"
    host, port = split_host(trunk.proxy or trunk.host or "")
    where = f"{host}:{port or SIPS_PORT}"
    try:
        days = await days_left(host, int(port or SIPS_PORT), _context(authorities), host)
    except ssl.SSLCertVerificationError as error:
        found = f"that of {where} does not hold: {error.verify_message}"
        if authorities:
            advice = "Ask the other side for a valid one; is its authority in {}?"
            return fail(name, f"{found}: no call goes out to it", advice.format(authorities))
        unchecked = "Asterisk does not check it, because RINGTRACE_SIP_TLS_AUTHORITIES is empty"
        return warn(name, f"{found}; {unchecked}", "Ask the other side for a valid one.")
    except (OSError, TimeoutError) as error:
        found = f"{where} does not answer over TLS: {str(error) or f'nothing in {SECONDS:.0f} s'}"
        return fail(name, found, "Is the port right, and does a firewall let it through?")
    return lasting(name, days, "Remind the other side to renew it.")


async def _own_certificate(settings: Settings) -> Finding:
    name, bind = "certificate of ours", settings.sip_bind
    context = _context(settings.sip_tls_certificate)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    host = "127.0.0.1"
    if ip_address(bind).is_loopback:
        host = bind

    advice = "Renew RINGTRACE_SIP_TLS_CERTIFICATE, and restart `ringtrace run`."
    try:
        days = await days_left(host, settings.sip_tls_port, context, host)
    except ssl.SSLCertVerificationError as error:
        return fail(name, f"it does not hold: {error.verify_message}", advice)
    except (OSError, TimeoutError) as error:
        found = f"Asterisk does not answer over TLS at {host}:{settings.sip_tls_port}: {error}"
        return fail(name, found, "Restart `ringtrace run`; its log says what is wrong with it.")
    return lasting(name, days, advice)


def _context(authorities: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authorities or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
