"""What programs and pages send us, with the length of everything limited. Answers are the domain's
own values.
"""

import re
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    StrictBool,
    StrictInt,
    StringConstraints,
)

from router.domain.delivery.delivery import Webhook
from router.domain.phone import parse_number
from router.domain.visitors.site import (
    Destination,
    NumberKind,
    Pool,
    Site,
    SourceRule,
    Step,
    TrackingNumber,
)
from router.service.visitors.pool_leases import Arrival


def _written_out(value: object) -> object:
    """A number is no moment: nobody would know whether it counts seconds or milliseconds."""
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d[T ]", value):
        raise ValueError("write the moment with its time zone, e.g. 2026-01-20T11:30:00Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=40)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]
Word = Annotated[str, StringConstraints(max_length=200)]
Address = Annotated[str, StringConstraints(max_length=2000)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Region = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
# a phone number in any spelling of its country
Spelling = Annotated[str, StringConstraints(max_length=40)]
Selector = Annotated[str, StringConstraints(max_length=1000)]
Thing = TypeVar("Thing", Site, Destination, Pool, TrackingNumber, Webhook)


class Body(BaseModel):
    """Something sent to us; a field we do not know is an error, not a surprise later."""

    model_config = ConfigDict(extra="forbid")

    def fields(self) -> dict[str, Any]:
        """The fields as they are, nested values not taken apart."""
        return {name: getattr(self, name) for name in type(self).model_fields}

    def over(self, thing: Thing) -> Thing:
        """`thing` with these fields."""
        return replace(thing, **self.fields())


class SiteBody(Body):
    """What can be changed of a site."""

    name: Name
    origins: Annotated[tuple[Address, ...], Field(max_length=50)] = ()
    destination_id: Key | None = None
    region: Region = "RU"
    exclude: Selector = ""
    contacts: Word = ""
    consent: StrictBool = False
    certainty: Annotated[float, Field(ge=0, le=1)] = 0.5
    source_rules: Annotated[tuple[SourceRule, ...], Field(max_length=200)] = ()
    errand_hosts: Annotated[tuple[Word, ...], Field(max_length=200)] = ()
    mail: Word = ""


class NewSite(SiteBody):
    """A site to be."""

    id: Key

    def make(self, now: datetime) -> Site:
        """The site."""
        return Site(**self.fields(), created_at=now)


class DestinationBody(Body):
    """What can be changed of a destination."""

    name: Name
    steps: Annotated[tuple[Step, ...], Field(max_length=8)]
    send_client_id: StrictBool = False
    send_source: StrictBool = False
    dtmf_transfer: StrictBool = False


class NewDestination(DestinationBody):
    """A destination to be."""

    id: Key

    def make(self, now: datetime) -> Destination:
        """The destination."""
        return Destination(**self.fields(), created_at=now)


class PoolBody(Body):
    """What can be changed of a pool."""

    name: Name
    destination_id: Key | None = None
    hold_seconds: StrictInt = 1800
    freeze_seconds: StrictInt = 1500
    replaces: Annotated[tuple[Spelling, ...], Field(max_length=50)] = ()
    selector: Selector = ""
    on_request: StrictBool = False
    regions: Annotated[tuple[Word, ...], Field(max_length=100)] = ()
    free_after_call: StrictBool = False
    leases_per_hour: Annotated[StrictInt, Field(ge=1, le=10_000_000)] | None = None

    def spelled_out(self, region: str) -> Self:
        """The same with its numbers in E.164. Raises `InvalidInput`."""
        numbers = dict.fromkeys(parse_number(text, region) for text in self.replaces)
        return self.model_copy(update={"replaces": tuple(numbers)})


class NewPool(PoolBody):
    """A pool to be."""

    id: Key
    site_id: Key

    def make(self, now: datetime) -> Pool:
        """The pool."""
        return Pool(**self.fields(), created_at=now)


def _without_password(url: HttpUrl) -> HttpUrl:
    if url.username or url.password:
        keeps = "`ringtrace webhook change KEY --user NAME` keeps one"
        raise ValueError(f"a password in an address can be read by others: {keeps}")
    return url


class WebhookBody(Body):
    """What can be changed of a webhook."""

    url: Annotated[HttpUrl, Field(max_length=2000), AfterValidator(_without_password)]
    site_id: Key | None = None
    active: StrictBool = True

    def fields(self) -> dict[str, Any]:
        """The fields, the address as text."""
        return {**super().fields(), "url": str(self.url)}


class NewWebhook(WebhookBody):
    """A webhook to be."""

    id: Key

    def make(self, now: datetime) -> Webhook:
        """The webhook."""
        return Webhook(**self.fields(), created_at=now)


class NumberBody(Body):
    """What can be changed of a tracking number."""

    kind: NumberKind
    pool_id: Key | None = None
    destination_id: Key | None = None
    channel: Word | None = None


class NewNumber(NumberBody):
    """A tracking number to be, in any spelling of its country."""

    e164: Spelling
    site_id: Key

    def make(self, now: datetime, region: str) -> TrackingNumber:
        """The number, free from now on."""
        fields = self.fields() | {"e164": parse_number(self.e164, region)}
        return TrackingNumber(**fields, free_at=now, created_at=now)


class ArrivalBody(Body):
    """What a page knows of its visitor when it asks for a number. The page keeps `visitor_id` for
    us.
    """

    visitor_id: Identifier | None = None
    ga_client_id: Identifier | None = None
    ga_session_id: Identifier | None = None
    ym_client_id: Identifier | None = None
    landing: Address | None = None
    referrer: Address | None = None
    source: Word | None = None
    medium: Word | None = None
    campaign: Word | None = None
    term: Word | None = None
    content: Word | None = None
    click_ids: Annotated[dict[Identifier, Word], Field(max_length=10)] = {}

    def make(self) -> Arrival:
        """The arrival."""
        return Arrival(**self.fields())
