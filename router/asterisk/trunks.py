"""Trunks: a few lines each in trunks.conf, over the templates that hold the safe defaults; secrets apart.

The file is the truth. Each trunk is a block between two comments, the first of which says what it was made from.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path

from router.asterisk.files import write_whole
from router.domain.names import check_key
from router.errors import Conflict, InvalidInput, NotFound

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(:[0-9]{1,5})?")
_USER = re.compile(r"[A-Za-z0-9+._-]{1,64}")
_BLOCK = re.compile(r"^; trunk (\{[^\n]*\})\n(.*?)^; end of trunk\n", re.MULTILINE | re.DOTALL)
_HEAD = "; Written by `ringtrace trunk`; what stands between `trunk` and `end of trunk` may be replaced by it.\n"


class TrunkKind(StrEnum):
    """How the two sides know each other."""

    REGISTRATION = "registration"  # we register there with user and password
    IP = "ip"  # by address alone
    ACCOUNT = "account"  # they register here with user and password


class Side(StrEnum):
    """Who is at the other end."""

    CARRIER = "carrier"  # calls to tracking numbers come in from there
    COMPANY = "company"  # the company's telephony: calls go out to it


class Cli(StrEnum):
    """How the caller is shown when a call goes out through a carrier."""

    OWN = "own"  # a number of ours in From
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
    match: tuple[str, ...] = ()  # networks their calls come from, if not the host's; registration and ip
    user: str | None = None  # registration and account
    number: str | None = None  # ours, in From, with cli own
    cli: Cli = Cli.OWN
    did_from: DidFrom = DidFrom.URI

    def __post_init__(self) -> None:
        check_key("trunk", self.name)
        if self.kind is not TrunkKind.ACCOUNT and not _is_host(self.host or ""):
            raise InvalidInput(f"trunk '{self.name}': '{self.host or ''}' is not a host: write it as sip.example.com")
        if self.kind is TrunkKind.REGISTRATION and not (self.user and _USER.fullmatch(self.user)):
            raise InvalidInput(f"trunk '{self.name}': a registration needs the user the carrier gave you")
        if self.kind is TrunkKind.ACCOUNT and self.user not in {None, self.name}:
            raise InvalidInput(f"trunk '{self.name}': an account's user is the trunk's name")
        if self.number and not _USER.fullmatch(self.number):
            raise InvalidInput(f"trunk '{self.name}': '{self.number[:40]}' is not a number")
        for network in self.match:
            try:
                ip_network(network)
            except ValueError as error:
                raise InvalidInput(f"trunk '{self.name}': '{network[:60]}' is not an address or network") from error


def _is_host(text: str) -> bool:
    port = text.partition(":")[2]
    return bool(_HOST.fullmatch(text)) and (not port or 0 < int(port) < 65536)


class Trunks:
    """The trunks in a directory of Asterisk's configuration."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "trunks.conf"
        self._secrets = directory / "trunk-secrets.conf"

    def all(self) -> list[Trunk]:
        """The trunks written here. Raises `InvalidInput` for a block that cannot be read."""
        return [_parse(match[1]) for match in _BLOCK.finditer(self._text(self._file))]

    def add(self, trunk: Trunk, password: str | None = None) -> None:
        """Write a trunk. Raises `Conflict` when the name is taken, `InvalidInput` for a password that cannot stand."""
        if trunk.name in {known.name for known in self.all()}:
            raise Conflict(f"The trunk '{trunk.name}' is here already: remove it first.")
        wants_password = trunk.kind is not TrunkKind.IP
        if wants_password and not password:
            raise InvalidInput(f"trunk '{trunk.name}': a password is needed")
        if password and not re.fullmatch(r"[!-~]{1,128}", password):
            raise InvalidInput(f"trunk '{trunk.name}': a password is 1 to 128 printable ASCII characters, no spaces")
        if password and wants_password:
            escaped = password.replace(";", "\\;")  # Asterisk takes any other backslash as it is
            block = [
                f"[{trunk.name}](ringtrace-auth)",
                f"username = {trunk.user or trunk.name}",
                f"password = {escaped}",
            ]
            self._append(self._secrets, trunk, block, mode=0o600)
        self._append(self._file, trunk, list(_lines(trunk)), mode=0o640)

    def remove(self, name: str) -> None:
        """Take a trunk out. Raises `NotFound`."""
        if name not in {trunk.name for trunk in self.all()}:
            raise NotFound(f"There is no trunk '{name}' here.")
        for path, mode in ((self._file, 0o640), (self._secrets, 0o600)):
            kept = _BLOCK.sub(lambda match: "" if _parse(match[1]).name == name else match[0], self._text(path))
            write_whole(path, kept, mode=mode)

    def _append(self, path: Path, trunk: Trunk, lines: list[str], *, mode: int) -> None:
        facts = json.dumps({key: value for key, value in asdict(trunk).items() if value}, sort_keys=True)
        block = "\n".join((f"; trunk {facts}", *lines, "; end of trunk", ""))
        write_whole(path, (self._text(path) or _HEAD) + block, mode=mode)

    @staticmethod
    def _text(path: Path) -> str:
        return path.read_text() if path.exists() else ""


def _parse(facts: str) -> Trunk:
    try:
        values = json.loads(facts)
        return Trunk(
            **{
                **values,
                "kind": TrunkKind(values["kind"]),
                "side": Side(values.get("side", Side.CARRIER)),
                "cli": Cli(values.get("cli", Cli.OWN)),
                "did_from": DidFrom(values.get("did_from", DidFrom.URI)),
                "match": tuple(values.get("match", ())),
            }
        )
    except (ValueError, TypeError, KeyError) as error:
        raise InvalidInput(f"trunks.conf has a block that cannot be read: {facts[:80]} ({error})") from error


def _lines(trunk: Trunk) -> Iterable[str]:
    """The trunk's sections of pjsip.conf."""
    name, registers = trunk.name, trunk.kind is TrunkKind.REGISTRATION
    cli = "" if trunk.side is Side.COMPANY else f",ringtrace-{trunk.cli}-cli"
    account = ",ringtrace-account" if trunk.kind is TrunkKind.ACCOUNT else ""
    yield f"[{name}](ringtrace-{trunk.side}{cli}{account})"
    yield f"aors = {name}"
    if registers:
        yield f"outbound_auth = {name}"
    if trunk.kind is TrunkKind.ACCOUNT:
        yield f"auth = {name}"
    if trunk.number or registers:
        yield f"from_user = {trunk.number or trunk.user}" if trunk.cli is Cli.OWN else "; From is the caller's"
    if registers:
        yield f"from_domain = {(trunk.host or '').partition(':')[0]}"
    if trunk.did_from is not DidFrom.URI:
        yield f"set_var = RINGTRACE_DID_FROM={trunk.did_from}"
    yield from _address(trunk)
    if registers:
        yield f"[{name}](ringtrace-registration)"
        yield f"endpoint = {name}"
        yield f"outbound_auth = {name}"
        yield f"server_uri = sip:{trunk.host}"
        yield f"client_uri = sip:{trunk.user}@{trunk.host}"
        yield f"contact_user = {trunk.user}"


def _address(trunk: Trunk) -> Iterable[str]:
    if trunk.kind is TrunkKind.ACCOUNT:
        yield f"[{trunk.name}](ringtrace-account-aor)"
        return
    yield f"[{trunk.name}](ringtrace-aor)"
    yield f"contact = sip:{trunk.host}"
    # A carrier that we register at may call our number instead of the contact that we gave it.
    yield f"[{trunk.name}-identify]"
    yield "type = identify"
    yield f"endpoint = {trunk.name}"
    for network in trunk.match or ((trunk.host or "").partition(":")[0],):
        yield f"match = {network}"
