"""What the administrator sets up: sites, destinations, tracking numbers and pools."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from router.domain.language import Language
from router.domain.names import check_key
from router.errors import InvalidInput

# A line, or an extension of the own dialplan; Ringtrace's contexts are excluded, because calls
# would loop.
_DIAL = re.compile(
    r"PJSIP/[A-Za-z0-9+*#._-]{1,64}(@[A-Za-z0-9._-]{1,40})?"
    r"|Local/[A-Za-z0-9+*#._-]{1,64}@(?!(?i:ringtrace))[A-Za-z0-9_-]{1,79}"
)
# a + begins the tag
_MAIL = re.compile(r"[\w.!#$%&'*/=?^`{|}~-]{0,40}@(?:[\w-]{1,63}\.)+[\w-]{2,63}")
# a name of a host, below which others may lie
_HOST = re.compile(r"(?:[\w-]{1,63}\.)+[\w-]{2,63}")
MAX_STEPS = 8
SOURCE_FIELDS = ("source", "medium", "campaign", "term", "landing", "referrer")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRule:
    """A site's own rule: a visit whose `field` contains `text` belongs to `channel`; the first
    match counts.
    """

    field: str  # source · medium · campaign · term · landing · referrer
    text: str  # letters of any case
    channel: str

    def __post_init__(self) -> None:
        if self.field not in SOURCE_FIELDS:
            raise InvalidInput(
                f"a source rule looks at {', '.join(SOURCE_FIELDS)}, not at '{self.field[:40]}'"
            )
        if not self.text or not self.channel:
            raise InvalidInput("a source rule needs a text and a channel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One web site whose visitors call; `origins` are those of pages that may request leases
    (CORS).
    """

    id: str
    name: str
    origins: tuple[str, ...] = ()
    # the default line, for unknown DIDs and numbers without a destination
    destination_id: str | None = None
    region: str = "RU"  # country of national numbers on its pages and of callers (ISO 3166)
    exclude: str = ""  # CSS selector of elements that the script never changes
    contacts: str = ""  # path prefix of the contacts page, e.g. /contacts
    # the script waits for the visitor's consent before it sets a cookie or leases a number
    consent: bool = False
    certainty: float = 0.5  # a visitor is named with at least this probability
    source_rules: tuple[SourceRule, ...] = ()  # tried before GA4's default channel groups
    # hosts where its visitors pay or log in: a return from there continues the visit
    errand_hosts: tuple[str, ...] = ()
    mail: str = (
        ""  # the mail address whose +tags or catch-all identify visitors, e.g. info@example.com
    )
    language: Language = Language.ENGLISH  # of texts about its calls in CRMs
    created_at: datetime

    def __post_init__(self) -> None:
        check_key("site", self.id)
        if not 0 <= self.certainty <= 1:
            raise InvalidInput(
                f"site '{self.id}': certainty is a probability from 0 to 1, not {self.certainty}"
            )
        if self.mail and not _MAIL.fullmatch(self.mail):
            raise InvalidInput(
                f"'{self.mail[:80]}' cannot carry tags: write info@example.com for "
                "info+TAG@example.com, "
                "or @calls.example.com for any address of a domain"
            )
        for host in self.errand_hosts:
            if len(host) > 200 or not _HOST.fullmatch(host):
                raise InvalidInput(f"'{host[:80]}' is not a host: write it as pay.example.com")
        for origin in self.origins:
            parts = urlsplit(origin)
            if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path:
                raise InvalidInput(
                    f"'{origin[:80]}' is not an origin: write it as https://example.com"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One attempt to reach people: a dial string (several joined by & ring together) and how long
    it rings.
    """

    dial: str  # PJSIP/endpoint, PJSIP/number@trunk or Local/extension@context
    ring_seconds: int = 30

    def __post_init__(self) -> None:
        parts = self.dial.split("&")
        if not all(_DIAL.fullmatch(part) for part in parts):
            raise InvalidInput(
                f"'{self.dial[:80]}' cannot be dialled: write PJSIP/endpoint, "
                "PJSIP/number@trunk or "
                "Local/extension@context, joined by &"
            )
        if not 1 <= self.ring_seconds <= 600:
            raise InvalidInput(f"a step rings 1 to 600 seconds, not {self.ring_seconds}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A destination of calls: steps that are tried in order while they cannot be reached."""

    id: str
    name: str
    steps: tuple[Step, ...]
    send_client_id: bool = False  # X-Google-Client-ID on the leg to the company
    send_source: bool = False  # the visit's source in front of the caller's name
    dtmf_transfer: bool = False  # ## and *2 on the company's phone transfer the call
    created_at: datetime

    def phones(self) -> set[str]:
        """The phones it dials, as in a call's `answered_by`: an endpoint, or the trunk of a number.
        Phones behind an extension of the dialplan are known only when they answer.
        """
        lines = (part.removeprefix("PJSIP/") for part in self._parts() if part.startswith("PJSIP/"))
        return {line.rpartition("@")[2] for line in lines}

    def extensions(self) -> set[str]:
        """The extensions of the dialplan that it dials, as extension@context."""
        return {part.removeprefix("Local/") for part in self._parts() if part.startswith("Local/")}

    def _parts(self) -> list[str]:
        return [part for step in self.steps for part in step.dial.split("&")]

    def __post_init__(self) -> None:
        check_key("destination", self.id)
        if not 1 <= len(self.steps) <= MAX_STEPS:
            raise InvalidInput(
                f"destination '{self.id}' needs 1 to {MAX_STEPS} steps, not {len(self.steps)}"
            )


class NumberKind(StrEnum):
    """How a tracking number is shown: to everyone of a channel, or leased to one visitor at a
    time.
    """

    STATIC = "static"
    DYNAMIC = "dynamic"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingNumber:
    """A tracking number: a DID that is shown to people."""

    e164: str
    site_id: str
    kind: NumberKind
    pool_id: str | None = None  # dynamic numbers only
    destination_id: str | None = None  # static numbers; None means the site's default
    channel: str | None = None  # channel of a static number, e.g. "billboard"
    unattributed_calls: int = (
        0  # calls of the last 90 days that no lease explains: saved numbers and misdials
    )
    free_at: datetime  # when its last lease ends or ended; the longest idle has the smallest
    created_at: datetime

    def __post_init__(self) -> None:
        if (self.kind is NumberKind.DYNAMIC) != (self.pool_id is not None):
            raise InvalidInput(
                f"{self.e164}: a dynamic number belongs to a pool, a static one does not"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The dynamic numbers that one site's visitors are leased from."""

    id: str
    site_id: str
    name: str
    destination_id: str | None = None  # None means the site's default
    hold_seconds: int = 1800  # how long a lease lasts after the last heartbeat
    freeze_seconds: int = 1500  # the part of the hold time after the visitor has left
    replaces: tuple[str, ...] = ()  # E.164: the company numbers on the pages that these replace
    selector: str = ""  # CSS selector of elements that show the number, whatever their text
    # leased only when the visitor asks for the number or looks at it for a while
    on_request: bool = False
    regions: tuple[str, ...] = ()  # regions of its visitors (by address); empty: all others
    free_after_call: bool = False  # a number is free as soon as its caller has hung up
    leases_per_hour: int | None = None  # its budget; None: no limit
    created_at: datetime

    def __post_init__(self) -> None:
        check_key("pool", self.id)
        if not 30 <= self.hold_seconds <= 86_400 * 30:
            raise InvalidInput(
                f"pool '{self.id}': hold is 30 seconds to 30 days, not {self.hold_seconds} s"
            )
        if not 0 <= self.freeze_seconds < self.hold_seconds:
            raise InvalidInput(f"pool '{self.id}': freeze is a part of hold, so shorter than it")
        if self.leases_per_hour is not None and self.leases_per_hour < 1:
            raise InvalidInput(f"pool '{self.id}': its budget is at least one lease an hour")


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedOrigin:
    """Pages of an origin that the site does not list requested numbers."""

    id: str
    site_id: str
    origin: str
    count: int
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UnchangedPage:
    """A company number that the script found on a page and could not replace."""

    id: str
    site_id: str
    path: str
    count: int
    last_at: datetime
