"""Values of an opened page: request, visitor and visit, answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from router.domain.ids import new_id
from router.domain.visitors.client_key import Asker
from router.domain.visitors.offering import Place
from router.domain.visitors.site import Pool
from router.domain.visitors.sources import Source
from router.domain.visitors.visit import Reason, Visit, Visitor
from router.service.visitors.display import Shown
from router.service.visitors.identities import Ids
from router.service.visitors.ports import Browser
from router.service.visitors.site_config import SiteConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An opened page and its visitor's data."""

    config: SiteConfig
    now: datetime
    address: str  # of the browser
    asker: Asker | None  # the same, as shares of a pool are counted by it
    client: str | None  # keyed hash of address and User-Agent, where the browser keeps nothing
    visitor_id: str | None  # cookie of the browser; unverified
    ids: Ids
    source: Source
    browser: Browser | None
    place: Place
    parameters: dict[str, str]
    pools: Sequence[Pool]  # whose numbers it shows
    refused: Reason | None = None  # nothing is stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """The answer to a page: visitor, and numbers by pool. Without a visit nothing was stored."""

    visitor_id: str | None = None
    visit_id: str | None = None
    code: str | None = None
    numbers: Mapping[str, Shown]


def new_visitor(page: Page, now: datetime) -> Visitor:
    return Visitor(
        id=new_id(now),
        site_id=page.config.site.id,
        ga_client_id=page.ids.ga_client_id,
        ga_session_id=page.ids.ga_session_id,
        ym_client_id=page.ids.ym_client_id,
        created_at=now,
    )


def new_visit(page: Page, visitor: Visitor, code: str | None, now: datetime) -> Visit:
    source, place = page.source, page.place
    device = name = system = None
    if page.browser:
        device, name, system = page.browser.device, page.browser.browser, page.browser.system

    return Visit(
        id=new_id(now),
        visitor_id=visitor.id,
        started_at=now,
        seen_at=now,
        landing=source.landing,
        referrer=source.referrer,
        source=source.source,
        medium=source.medium,
        campaign=source.campaign,
        term=source.term,
        content=source.content,
        channel=source.channel,
        click_ids=page.ids.click_ids | source.click_ids,
        ga_session_id=page.ids.ga_session_id,
        code=code,
        device=device,
        browser=name,
        system=system,
        country=place.country,
        region=place.region,
        city=place.city,
        parameters=page.parameters,
        client=page.client,
    )
