"""A trunk: the SIP connection to a carrier or to the company's telephone system, with
validation.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address, ip_network

from router.domain.names import check_key
from router.errors import InvalidInput

LONGEST_NUMBER = 15  # digits of E.164
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]{2,45}\]|[^\[\]:]*)(?::(?P<port>[0-9]{1,5}))?")
_USER = re.compile(r"[A-Za-z0-9+._-]{1,64}")
_AUTH_USER = re.compile(r"[A-Za-z0-9+._@-]{1,128}")


class TrunkKind(StrEnum):
    """How the two sides authenticate."""

    REGISTRATION = "registration"  # Ringtrace registers there with user and password
    IP = "ip"  # by address only
    ACCOUNT = "account"  # the other side registers here with user and password


class Transport(StrEnum):
    """Transport of SIP messages."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"


class Side(StrEnum):
    """The other side of the trunk."""

    CARRIER = "carrier"  # calls to tracking numbers arrive from it
    COMPANY = "company"  # the company's telephone system: calls are sent to it


class Cli(StrEnum):
    """Caller ID of calls that leave through a carrier."""

    OWN = "own"  # your own number in From
    PASS = "pass"  # noqa: S105  the caller's number, vouched for by Diversion


class DidFrom(StrEnum):
    """Where the carrier puts the DID."""

    URI = "uri"
    TO = "to"
    PCPID = "pcpid"  # P-Called-Party-ID


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk:
    """The SIP connection to a carrier or to the company's telephony."""

    name: str
    kind: TrunkKind
    side: Side = Side.CARRIER
    host: str | None = None  # address[:port]; registration and ip
    match: tuple[
        str, ...
    ] = ()  # networks their calls come from, if not the host's; registration and ip
    user: str | None = None  # registration and account
    number: str | None = None  # ours, in From, with cli own
    cli: Cli = Cli.OWN
    did_from: DidFrom = DidFrom.URI
    # fewest digits of a DID, where the carrier sends them one by one; fewer are answered 484
    did_digits: int = 0
    proxy: str | None = None  # outbound proxy, address[:port]; registration and ip
    auth_user: str | None = None  # in the digest, if not the user; registration
    from_domain: str | None = None  # in From, if not the host; registration and ip
    transport: Transport = Transport.UDP  # of what we send; registration and ip
    srtp: bool = False  # encrypted media is accepted and offered
    srtp_required: bool = False  # sound without encryption is refused, and never offered
    nat: bool = False  # their Contact cannot be reached: reply to the packets' source address
    own_music: bool = False  # they play their own music on hold

    def __post_init__(self) -> None:
        check_key("trunk", self.name)
        if self.kind is not TrunkKind.ACCOUNT and not split_host(self.host or "")[0]:
            raise self._wrong(
                f"'{(self.host or '')[:60]}' is not a host: write it as sip.example.com"
            )
        if self.kind is TrunkKind.REGISTRATION and not (self.user and _USER.fullmatch(self.user)):
            raise self._wrong("a registration needs the user the carrier gave you")
        if self.kind is TrunkKind.ACCOUNT and self.user not in {None, self.name}:
            raise self._wrong("an account's user is the trunk's name")
        if self.number and not _USER.fullmatch(self.number):
            raise self._wrong(f"'{self.number[:40]}' is not a number")
        self._check_options()
        self._check_did()
        self._check_transport()
        for network in self.match:
            try:
                ip_network(network)
            except ValueError as error:
                raise self._wrong(f"'{network[:60]}' is not an address or network") from error

    def _check_options(self) -> None:
        if self.proxy is not None and not split_host(self.proxy)[0]:
            raise self._wrong(
                f"'{self.proxy[:60]}' is not a proxy: write it as proxy.example.com:5060"
            )
        if self.from_domain is not None and not _NAME.fullmatch(self.from_domain):
            raise self._wrong(f"'{self.from_domain[:60]}' is not a domain")
        if self.auth_user is not None and not _AUTH_USER.fullmatch(self.auth_user):
            raise self._wrong(f"'{self.auth_user[:60]}' is not a user to log in as")
        if self.auth_user is not None and self.kind is not TrunkKind.REGISTRATION:
            raise self._wrong("a user to log in as (--auth-user) is for a registration")
        if self.kind is TrunkKind.ACCOUNT and (self.proxy or self.from_domain):
            raise self._wrong("a proxy and a domain are for a registration or an address")

    def _check_did(self) -> None:
        if not 0 <= self.did_digits <= LONGEST_NUMBER:
            raise self._wrong(f"a number has at most {LONGEST_NUMBER} digits (--did-digits)")
        if self.did_digits and self.did_from is not DidFrom.URI:
            raise self._wrong("digits that come one by one (--did-digits) are in the Request-URI")

    def _check_transport(self) -> None:
        if self.kind is TrunkKind.ACCOUNT and self.transport is not Transport.UDP:
            raise self._wrong("the phone chooses the transport of an account")

    def _wrong(self, what: str) -> InvalidInput:
        return InvalidInput(f"trunk '{self.name}': {what}")

    @property
    def address(self) -> str:
        """The host without its port."""
        return split_host(self.host or "")[0]

    @property
    def is_ipv6(self) -> bool:
        """Whether it is at an address of IPv6."""
        return ":" in self.address


def split_host(text: str) -> tuple[str, str]:
    """The name or address of `host[:port]`, and the port; IPv6 is written `[2001:db8::1]:5060`.
    Empty: no host.
    """
    found = _HOST.fullmatch(text)
    if not found:
        return "", ""
    name, port = found["name"], found["port"] or ""
    if not name or (port and not 0 < int(port) < 65536):
        return "", ""
    if _NAME.fullmatch(name):
        return name, port
    if not name.startswith("["):
        return "", ""
    try:
        return str(IPv6Address(name[1:-1])), port
    except ValueError:
        return "", ""
