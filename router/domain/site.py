"""What the administrator sets up: sites, destinations, tracking numbers and pools."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from router.domain.names import check_key
from router.errors import InvalidInput

_DIAL = re.compile(r"PJSIP/[A-Za-z0-9+*#._-]{1,64}(@[A-Za-z0-9._-]{1,40})?")
MAX_STEPS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One web site whose visitors call; `origins` are the pages that may ask for leases (CORS)."""

    id: str
    name: str
    origins: tuple[str, ...] = ()
    destination_id: str | None = None  # the default line: unknown DIDs and numbers without one of their own
    region: str = "RU"  # how national numbers of its pages and callers are read (ISO 3166)
    created_at: datetime

    def __post_init__(self) -> None:
        check_key("site", self.id)
        for origin in self.origins:
            parts = urlsplit(origin)
            if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path:
                raise InvalidInput(f"'{origin[:80]}' is not an origin: write it as https://example.com")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One attempt to reach people: a dial string (several joined by & ring together) and how long it rings."""

    dial: str  # PJSIP/endpoint or PJSIP/number@trunk
    ring_seconds: int = 30

    def __post_init__(self) -> None:
        parts = self.dial.split("&")
        if not all(_DIAL.fullmatch(part) for part in parts):
            raise InvalidInput(
                f"'{self.dial[:80]}' cannot be dialled: write PJSIP/endpoint or PJSIP/number@trunk, joined by &"
            )
        if not 1 <= self.ring_seconds <= 600:
            raise InvalidInput(f"a step rings 1 to 600 seconds, not {self.ring_seconds}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where calls go: steps tried in order while the one before cannot be reached at all."""

    id: str
    name: str
    steps: tuple[Step, ...]
    send_client_id: bool = False  # X-Google-Client-ID on the leg to the company
    send_source: bool = False  # the visit's source in front of the caller's name
    dtmf_transfer: bool = False  # ## and *2 on the company's phone transfer the call
    created_at: datetime

    def __post_init__(self) -> None:
        check_key("destination", self.id)
        if not 1 <= len(self.steps) <= MAX_STEPS:
            raise InvalidInput(f"destination '{self.id}' needs 1 to {MAX_STEPS} steps, not {len(self.steps)}")


class NumberKind(StrEnum):
    """How a tracking number is shown: to everyone of a channel, or leased to one visitor at a time."""

    STATIC = "static"
    DYNAMIC = "dynamic"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingNumber:
    """A DID of ours that is shown to people."""

    e164: str
    site_id: str
    kind: NumberKind
    pool_id: str | None = None  # dynamic numbers alone
    destination_id: str | None = None  # static numbers; None means the site's default
    channel: str | None = None  # what a static number stands for, e.g. "billboard"
    free_at: datetime  # when its last lease ends or ended; the longest idle has the smallest
    created_at: datetime

    def __post_init__(self) -> None:
        if (self.kind is NumberKind.DYNAMIC) != (self.pool_id is not None):
            raise InvalidInput(f"{self.e164}: a dynamic number belongs to a pool, a static one does not")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The dynamic numbers that one site's visitors are leased from."""

    id: str
    site_id: str
    name: str
    destination_id: str | None = None  # None means the site's default
    hold_seconds: int = 1800  # how long a lease lasts after the last sign of life
    freeze_seconds: int = 1500  # the part of the hold after the visitor has left
    created_at: datetime

    def __post_init__(self) -> None:
        check_key("pool", self.id)
        if not 30 <= self.hold_seconds <= 86_400 * 30:
            raise InvalidInput(f"pool '{self.id}': hold is 30 seconds to 30 days, not {self.hold_seconds} s")
        if not 0 <= self.freeze_seconds < self.hold_seconds:
            raise InvalidInput(f"pool '{self.id}': freeze is a part of hold, so shorter than it")
