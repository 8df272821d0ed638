"""Mail attribution: an address for each visitor or channel.

A visitor is shown the site's address with their visit's promo code in it,
`info+4K7M2X@example.com`, or an address of a domain that catches everything,
`4k7m2x@calls.example.com`. Only headers are read, and they come from outside: nothing in them
raises, and only addresses are stored.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import urlsplit

from router.domain.attribution.terms import Verdict
from router.domain.delivery.outcome import Outcome
from router.domain.visitors.promo_codes import read_code
from router.domain.visitors.visit import Visit
from router.errors import InvalidInput

# Headers with the address of the recipient: as the sender wrote it, then as servers added it.
RECIPIENTS = ("to", "cc", "delivered-to", "x-original-to", "envelope-to")
MARKS = ("message-id", "from", "date", "auto-submitted", "precedence", "return-path")

_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w.-]{1,253}")
_MESSAGE_ID = re.compile(r"<[^<>\s\x00-\x1f\x7f]{1,250}>")
_TAG = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,30}[a-z0-9])?")
_HOST = re.compile(r"[A-Za-z0-9.:_-]{1,253}")
_BULK = {"bulk", "junk", "list", "auto_reply"}


class Security(StrEnum):
    """Encryption of the connection to a mail server."""

    TLS = "tls"
    STARTTLS = "starttls"
    PLAIN = "plain"  # this machine only


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """A site's mailbox, read up to `uid` while UIDVALIDITY is unchanged."""

    site_id: str
    host: str
    port: int = 993
    security: Security = Security.TLS
    user: str
    folder: str = "INBOX"
    since: datetime  # earlier mail is ignored
    uidvalidity: int | None = None  # None: never read
    uid: int = 0
    due_at: datetime
    failures: int = 0  # in a row
    error: Outcome | None = None  # of the last one

    def __post_init__(self) -> None:
        if not _HOST.fullmatch(self.host):
            raise InvalidInput(
                f"'{self.host[:80]}' is not a mail server: write a name such as imap.example.com"
            )
        if not 1 <= self.port <= 65535:
            raise InvalidInput(f"a port is 1 to 65535, not {self.port}")
        if not self.user or not self.folder or not (self.user + self.folder).isprintable():
            raise InvalidInput("a mailbox needs a user and a folder, without control characters")
        if self.security is Security.PLAIN and not _is_this_machine(self.host):
            raise InvalidInput(
                "the password would cross the network unprotected: use TLS or STARTTLS for "
                f"{self.host}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class MailChannel:
    """The mail address of a channel: mail to it came from there."""

    id: str
    site_id: str
    tag: str
    channel: str
    created_at: datetime

    def __post_init__(self) -> None:
        if not _TAG.fullmatch(self.tag):
            raise InvalidInput(
                f"'{self.tag[:40]}' cannot be a tag: 1 to 32 of a-z 0-9 . _ -, a letter or "
                "digit outside"
            )
        if not self.channel.strip():
            raise InvalidInput("a tag needs the name of its channel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A message to a tracked address, with its attribution."""

    id: str
    site_id: str
    message_id: str  # its Message-ID, or a digest of its headers
    sender: str | None
    address: str  # ours, the one it was sent to
    tag: str | None
    automatic: bool  # an auto-reply, bounce or mailing: stored, but not sent to receivers
    arrived_at: datetime  # as the mail server says
    verdict: Verdict
    visitor_id: str | None = None
    visit_id: str | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageHeaders:
    """The headers of a message."""

    message_id: str
    sender: str | None
    addresses: tuple[str, ...]  # recipients in lower case, in the order of RECIPIENTS
    automatic: bool


def tagged_address(mail: str, tag: str) -> str | None:
    """The site's address for a visitor's promo code or a channel's tag; None when the site has
    none.
    """
    local, _, domain = mail.partition("@")
    if not domain:
        return None
    if local:
        return f"{local}+{tag}@{domain}"
    return f"{tag.lower()}@{domain}"


def tag_of(address: str, mail: str) -> str | None:
    """The tag in an address of the site, in lower case; empty without a tag; None for other
    addresses.
    """
    ours, _, our_domain = mail.lower().partition("@")
    local, _, domain = address.lower().partition("@")
    if not our_domain or domain.rstrip(".") != our_domain:
        return None
    if not ours:
        return local
    name, _, tag = local.partition("+")
    if name == ours:
        return tag
    return None


def is_own(sender: str | None, mail: str, origins: Iterable[str]) -> bool:
    """Whether the company is the sender: the site's address, or the domain of one of its pages."""
    if sender is None:
        return False
    domain = sender.rpartition("@")[2].lower().rstrip(".")
    hosts = ((urlsplit(origin).hostname or "").removeprefix("www.") for origin in origins)
    return tag_of(sender, mail) is not None or domain in hosts


def addressed(headers: MessageHeaders, mail: str) -> tuple[str, str | None] | None:
    """The recipient that is an address of the site, and its tag; one with a tag is preferred."""
    untagged = None
    for address in headers.addresses:
        tag = tag_of(address, mail)
        if tag:
            return address, tag
        if tag is not None and untagged is None:
            untagged = (address, None)
    return untagged


def judge_mail(
    tag: str | None, channels: Mapping[str, str], visits: Mapping[str, Visit]
) -> tuple[Verdict, str | None, Visit | None]:
    """Attribute a message: verdict, channel and visit. `visits` has them by promo code."""
    if tag is not None and tag in channels:
        return Verdict.STATIC, channels[tag], None
    visit = visits.get(read_code(tag or "") or "")
    if visit is not None:
        return Verdict.EXACT, visit.channel, visit
    return Verdict.UNKNOWN, None, None


def read_headers(head: bytes) -> MessageHeaders:
    """Parse the headers of a message; never raises."""
    fields = _fields(head)
    found = _MESSAGE_ID.search(" ".join(fields.get("message-id", ())))
    message_id = f"sha256:{hashlib.sha256(head).hexdigest()}"
    if found:
        message_id = found[0]
    written = " ".join(value for name in RECIPIENTS for value in fields.get(name, ()))
    return MessageHeaders(
        message_id=message_id,
        sender=_sender(" ".join(fields.get("from", ()))),
        addresses=tuple(dict.fromkeys(address.lower() for address in _ADDRESS.findall(written))),
        automatic=_is_automatic(fields),
    )


def _fields(head: bytes) -> dict[str, list[str]]:
    """Header values by name, folded lines joined. Unlike the standard parser, it does not recurse
    into hostile comments.
    """
    text = re.sub(r"\r?\n[ \t]+", " ", head.decode("utf-8", "replace").replace("\0", ""))
    fields: dict[str, list[str]] = {}
    for line in re.split(r"\r?\n", text):
        name, _, value = line.partition(":")
        fields.setdefault(name.strip().lower(), []).append(value.strip())
    return fields


def _sender(text: str) -> str | None:
    """The sender's address, without the display name, which may contain another address."""
    last = text.rpartition("<")[2]
    found = _ADDRESS.search(last) or _ADDRESS.search(text)
    if not found:
        return None
    return found[0].lower()


def _is_automatic(fields: Mapping[str, list[str]]) -> bool:
    for value in fields.get("auto-submitted", ()):
        if value.partition(";")[0].strip().lower() != "no":
            return True
    is_bulk = any(value.lower() in _BULK for value in fields.get("precedence", ()))
    return is_bulk or "<>" in fields.get("return-path", ())


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
