"""Who came to the site, and from where."""

import re
from dataclasses import dataclass, field
from datetime import datetime

from router.errors import InvalidInput

_CLIENT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SOURCE_LETTERS = re.compile(r"[^\w .()-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A browser, known by our first-party cookie; analytics identifiers are what the page told us."""

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
                raise InvalidInput(f"{name} '{value[:40]}' is not an identifier: 1 to 64 of A-Z a-z 0-9 . _ -")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One arrival: source, medium, campaign, term and the page it began on."""

    id: str
    visitor_id: str
    started_at: datetime
    landing: str | None = None
    referrer: str | None = None
    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    term: str | None = None
    content: str | None = None
    click_ids: dict[str, str] = field(default_factory=dict)  # gclid, yclid … as in the landing URL


def spoken_source(text: str) -> str:
    """A campaign or source for a telephone's display: at most 24 harmless characters of it.

    A campaign's name is written by whoever built the link, so only letters, digits and a little else pass.
    """
    return " ".join(_SOURCE_LETTERS.sub(" ", text).split())[:24].strip()
