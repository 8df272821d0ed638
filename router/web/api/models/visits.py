"""Visitors, their visits, and the leases of numbers."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from router.domain.phone import display
from router.domain.visitors.lease import Lease as LeaseRecord
from router.service.visitors.pool_leases import Arrival
from router.web.api.models.base import Address, Answer, Body, Identifier, Word


class Visitor(Answer):
    """A browser, known by the site's own cookie."""

    id: str
    """The visitor's id."""

    site_id: str
    """The site that was visited."""

    ga_client_id: str | None
    """Google Analytics client ID, as the page named it."""

    ga_session_id: str | None
    """Google Analytics session ID of the last visit that named one."""

    ym_client_id: str | None
    """Yandex.Metrica ClientID, as the page named it."""

    created_at: datetime
    """When the first visit began (UTC)."""


class Visit(Answer):
    """One arrival of a visitor."""

    id: str
    """The visit's id."""

    visitor_id: str
    """Whose visit it is."""

    started_at: datetime
    """When it began (UTC)."""

    seen_at: datetime | None
    """The last sign of life (UTC); null: none after the start."""

    landing: str | None
    """Address of the page on which it began."""

    referrer: str | None
    """Address of the page that led there."""

    source: str | None
    """Traffic source, e.g. `google`."""

    medium: str | None
    """Traffic medium, e.g. `cpc`."""

    campaign: str | None
    """Campaign, as the landing page's address names it."""

    term: str | None
    """Search term, as the landing page's address names it."""

    content: str | None
    """Variant of the advertisement, as the landing page's address names it."""

    channel: str | None
    """GA4's default channel group, or the channel of the site's own source rule."""

    click_ids: dict[str, str]
    """Click IDs by their names (`gclid`, `yclid`, …)."""

    ga_session_id: str | None
    """Google Analytics session ID of this visit."""

    code: str | None
    """Promo code that the page showed."""

    device: str | None
    """`desktop`, `mobile`, `tablet` or `other`."""

    browser: str | None
    """Name of the browser."""

    system: str | None
    """Name of the operating system."""

    country: str | None
    """Country of the visitor's address (ISO 3166)."""

    region: str | None
    """Region of the visitor's address, in English."""

    city: str | None
    """City of the visitor's address, in English."""

    parameters: dict[str, str]
    """What the site's own page said of the visit."""


class Lease(Answer):
    """A visitor's exclusive hold of a tracking number."""

    id: str
    """The lease's id."""

    number: str
    """The tracking number (E.164)."""

    pool_id: str
    """The pool that the number was leased from."""

    visitor_id: str
    """Who holds it."""

    visit_id: str
    """The visit for which it was leased."""

    started_at: datetime
    """When it began (UTC)."""

    seen_at: datetime
    """The last sign of life (UTC)."""

    frozen_at: datetime
    """When the visitor left the page, or will count as having left (UTC)."""

    ends_at: datetime
    """When the number is free again (UTC)."""

    shown: bool
    """Whether a page is known to have shown the number."""


class Leased(Answer):
    """The number that a page may show, and until when."""

    id: str
    """The lease's id: the key of its heartbeat and goodbye."""

    number: str
    """The tracking number (E.164), for the link."""

    number_display: str
    """The tracking number as people read it."""

    visitor_id: str
    """Send it with the next request of the same visitor."""

    alive_within_seconds: int
    """The next heartbeat must come within so many seconds."""

    ends_at: datetime
    """When the number is free again without a heartbeat (UTC)."""

    @classmethod
    def at(cls, lease: LeaseRecord, now: datetime) -> "Leased":
        """Convert a lease for the page."""
        return cls(
            id=lease.id,
            number=lease.number,
            number_display=display(lease.number),
            visitor_id=lease.visitor_id,
            alive_within_seconds=max(0, int((lease.frozen_at - now).total_seconds())),
            ends_at=lease.ends_at,
        )


class ArrivalBody(Body):
    """What a page knows of its visitor when it asks for a number."""

    visitor_id: Identifier | None = None
    """`visitor_id` of an earlier answer."""

    ga_client_id: Identifier | None = None
    """Google Analytics client ID."""

    ga_session_id: Identifier | None = None
    """Google Analytics session ID."""

    ym_client_id: Identifier | None = None
    """Yandex.Metrica ClientID."""

    landing: Address | None = None
    """Address of the page on which the visit began."""

    referrer: Address | None = None
    """Address of the page that led there."""

    source: Word | None = None
    """Traffic source, e.g. `google`."""

    medium: Word | None = None
    """Traffic medium, e.g. `cpc`."""

    campaign: Word | None = None
    """Campaign."""

    term: Word | None = None
    """Search term."""

    content: Word | None = None
    """Variant of the advertisement."""

    click_ids: Annotated[dict[Identifier, Word], Field(max_length=10, default_factory=dict)]
    """Click IDs by their names (`gclid`, `yclid`, …)."""

    def make(self) -> Arrival:
        """The arrival."""
        return Arrival(**self.fields())
