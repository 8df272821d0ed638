"""A trunk's sections of pjsip.conf, based on trunk-templates.conf."""

from collections.abc import Iterable

from router.asterisk.trunk import Cli, DidFrom, Side, Transport, Trunk, TrunkKind

# suffix of the address that gets OPTIONS; trunk names have no underscore
HINT = "_hint"


def escape(text: str) -> str:
    """Escape a value for Asterisk: a semicolon would begin a comment; other backslashes are
    literal.
    """
    return text.replace(";", "\\;")


def secret_lines(trunk: Trunk, password: str) -> Iterable[str]:
    """The trunk's credentials; the password is already escaped."""
    yield f"[{trunk.name}](ringtrace-auth)"
    yield f"username = {trunk.auth_user or trunk.user or trunk.name}"
    yield f"password = {password}"


def trunk_lines(trunk: Trunk) -> Iterable[str]:
    """The trunk's endpoint, its address, and the registration there."""
    yield from _endpoint(trunk)
    if trunk.kind is TrunkKind.ACCOUNT:
        yield f"[{trunk.name}](ringtrace-account-aor)"
        return
    yield from _address(trunk)
    yield from _identity(trunk)
    if trunk.kind is TrunkKind.REGISTRATION:
        yield from _registration(trunk)
        yield from _login(trunk)


def _endpoint(trunk: Trunk) -> Iterable[str]:
    yield f"[{trunk.name}]({','.join(_templates(trunk))})"
    if trunk.kind is TrunkKind.ACCOUNT:
        yield f"aors = {trunk.name}"
        yield f"auth = {trunk.name}"
    else:
        yield f"aors = {trunk.name},{trunk.name}{HINT}"
    if trunk.kind is TrunkKind.REGISTRATION:
        yield f"outbound_auth = {trunk.name}"
    yield from _from_header(trunk)
    if trunk.did_from is not DidFrom.URI:
        yield f"set_var = RINGTRACE_DID_FROM={trunk.did_from}"
    if trunk.did_digits:
        yield f"set_var = RINGTRACE_DID_DIGITS={trunk.did_digits}"
    if trunk.is_ipv6:
        yield "rtp_ipv6 = yes"
    if trunk.own_music:
        yield "moh_suggest = none"
    yield from _proxy(trunk)


def _from_header(trunk: Trunk) -> Iterable[str]:
    registers = trunk.kind is TrunkKind.REGISTRATION
    if trunk.number or registers:
        if trunk.cli is Cli.OWN:
            yield f"from_user = {trunk.number or trunk.user}"
        else:
            yield "; From is the caller's"
    if trunk.from_domain or registers:
        yield f"from_domain = {trunk.from_domain or _in_uri(trunk.address)}"


def _templates(trunk: Trunk) -> Iterable[str]:
    yield f"ringtrace-{trunk.side}"
    if trunk.side is Side.CARRIER:
        yield f"ringtrace-{trunk.cli}-cli"
    if trunk.kind is TrunkKind.ACCOUNT:
        yield "ringtrace-account"
    if trunk.srtp_required:
        yield "ringtrace-srtp-required"
    elif trunk.srtp:
        yield "ringtrace-srtp"
    if trunk.nat:
        yield "ringtrace-nat"


def _address(trunk: Trunk) -> Iterable[str]:
    """The addresses of the trunk. Only a second one gets OPTIONS, so that its result does not
    affect calls.
    """
    for name, template in ((trunk.name, "ringtrace-aor"), (trunk.name + HINT, "ringtrace-hint")):
        yield f"[{name}]({template})"
        yield f"contact = {_uri(trunk, trunk.host)}"
        yield from _proxy(trunk)


def _identity(trunk: Trunk) -> Iterable[str]:
    # A carrier may call the number instead of the registered contact.
    yield f"[{trunk.name}-identify]"
    yield "type = identify"
    yield f"endpoint = {trunk.name}"
    for network in trunk.match or (trunk.address,):
        yield f"match = {network}"


def _registration(trunk: Trunk) -> Iterable[str]:
    yield f"[{trunk.name}](ringtrace-registration)"
    yield f"endpoint = {trunk.name}"
    yield f"outbound_auth = {trunk.name}"
    yield f"server_uri = {_uri(trunk, trunk.host)}"
    yield f"client_uri = sip:{trunk.user}@{trunk.from_domain or trunk.host}"
    yield f"contact_user = {trunk.user}"
    yield from _proxy(trunk)


def _login(trunk: Trunk) -> Iterable[str]:
    """What the dialplan reads, and PJSIP does not: which trunk of several at one address registers
    this user.
    """
    yield f"[ringtrace-login-{trunk.user}]"
    yield f"trunk = {trunk.name}"
    yield f"did_from = {trunk.did_from}"


def _proxy(trunk: Trunk) -> Iterable[str]:
    if trunk.proxy:
        yield f"outbound_proxy = {_uri(trunk, trunk.proxy)}{escape(';lr')}"


def _uri(trunk: Trunk, host: str | None) -> str:
    transport = ""
    if trunk.transport is not Transport.UDP:
        transport = f";transport={trunk.transport}"

    return escape(f"sip:{host}{transport}")


def _in_uri(address: str) -> str:
    if ":" in address:
        return f"[{address}]"
    return address
