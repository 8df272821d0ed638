"""Visitors, visits, and their actions that are evidence for calls."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from router.errors import InvalidInput

VISIT_PAUSE = timedelta(minutes=30)  # after this pause a new visit begins, as in GA4
DIRECT = "(direct)"

_CLIENT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SOURCE_LETTERS = re.compile(r"[^\w .()-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A browser, recognised by a first-party cookie; analytics identifiers come from the page."""

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
    """One arrival: source, medium, campaign, term and the page it began on. As a step of the
    visitor's path it is a touch.
    """

    id: str
    visitor_id: str
    started_at: datetime
    seen_at: datetime | None = None  # the last heartbeat; None: `started_at`
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
    """A visitor tapped a number on the page."""

    id: str
    visit_id: str
    number: str  # E.164
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A visitor entered a phone number in a form."""

    id: str
    visit_id: str
    phone: str  # E.164
    at: datetime


class DisplayLevel(StrEnum):
    """Display level: what a visitor was shown, the best first."""

    DYNAMIC = "dynamic"  # a dynamic number
    STATIC = "static"  # the static number of their source
    OWN = "own"  # the company number: the page is unchanged


class Reason(StrEnum):
    """Why a visitor was not shown a dynamic number."""

    EMPTY = "empty"  # all numbers of the pool are leased
    BUDGET = "budget"  # the pool's hourly limit is reached
    ROBOT = "robot"
    CROWD = "crowd"  # too many visitors from one address
    NO_CONSENT = "no_consent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """A visitor had to be shown less than a dynamic number. Dynamic numbers shown are leases."""

    id: str
    visit_id: str | None  # None: a robot's, or without consent
    pool_id: str
    level: DisplayLevel
    reason: Reason
    number: str | None  # the static one
    at: datetime


def spoken_source(text: str) -> str:
    """A campaign or source for a phone's display, cut to 24 characters. Campaign names come from
    outside, so only letters, digits and few others are kept.
    """
    return " ".join(_SOURCE_LETTERS.sub(" ", text).split())[:24].strip()
