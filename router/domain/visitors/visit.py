"""Who came to the site, from where, and what they did there that tells of a call."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from router.errors import InvalidInput

VISIT_PAUSE = timedelta(minutes=30)  # who comes back later begins a new visit, as in GA4
DIRECT = "(direct)"

_CLIENT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SOURCE_LETTERS = re.compile(r"[^\w .()-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A browser, known by our first-party cookie; analytics identifiers are what the page told
    us.
    """

    id: str
    site_id: str
    ga_client_id: str | None = None
    ga_session_id: str | None = None
    ym_client_id: str | None = None
    created_at: datetime

    def __post_init__(self) -> None:
        for name in ("ga_client_id", "ga_session_id", "ym_client_id"):
            value = getattr(self, name)
            if value is not None and not _CLIENT_ID.fullmatch(value):
                raise InvalidInput(
                    f"{name} '{value[:40]}' is not an identifier: 1 to 64 of A-Z a-z 0-9 . _ -"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One arrival: source, medium, campaign, term and the page it began on. As a step of a chain it
    is a touch.
    """

    id: str
    visitor_id: str
    started_at: datetime
    seen_at: datetime | None = None  # the last sign of life; None: `started_at`
    landing: str | None = None
    referrer: str | None = None
    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    term: str | None = None
    content: str | None = None
    channel: str | None = None  # GA4's default channel group, or what the site's own rules call it
    click_ids: dict[str, str] = field(default_factory=dict)  # gclid, yclid … as in the landing URL
    ga_session_id: str | None = None
    code: str | None = None  # the promo code shown on the page
    device: str | None = None  # desktop · mobile · tablet · other
    browser: str | None = None
    system: str | None = None
    country: str | None = None  # ISO 3166, by the address
    region: str | None = None  # its name in English, by the address
    city: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)  # what the owner's page adds
    # keyed hash of address and User-Agent, where the browser keeps nothing
    client: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageView:
    """A page that a visitor opened."""

    id: str
    visit_id: str
    at: datetime
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """A visitor tapped a number on the page: the strongest sign of a call there is."""

    id: str
    visit_id: str
    number: str  # E.164
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A visitor left a phone number on the page."""

    id: str
    visit_id: str
    phone: str  # E.164
    at: datetime


class Rung(StrEnum):
    """What a visitor was shown, from the best to the last resort."""

    DYNAMIC = "dynamic"  # a number of their own
    STATIC = "static"  # the number of their source
    OWN = "own"  # the company's own: nothing was changed on the page


class Reason(StrEnum):
    """Why a visitor was not shown a number of their own."""

    EMPTY = "empty"  # every number of the pool is leased
    BUDGET = "budget"  # the pool has given its share of this hour
    ROBOT = "robot"
    CROWD = "crowd"  # too many visitors from one address
    NO_CONSENT = "no_consent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """A visitor had to be shown less than a number of their own. Dynamic numbers shown are
    leases.
    """

    id: str
    visit_id: str | None  # None: a robot's, or without consent
    pool_id: str
    rung: Rung
    reason: Reason
    number: str | None  # the static one
    at: datetime


def spoken_source(text: str) -> str:
    """A campaign or source for a telephone's display: at most 24 harmless characters of it.

    A campaign's name is written by whoever built the link, so only letters, digits and a little
    else pass.
    """
    return " ".join(_SOURCE_LETTERS.sub(" ", text).split())[:24].strip()
