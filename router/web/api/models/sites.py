"""Sites and their pools of numbers."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field, StrictBool, StrictInt, StringConstraints

from router.domain.language import Language
from router.domain.phone import parse_number
from router.domain.visitors.site import Pool as PoolRecord
from router.domain.visitors.site import Site as SiteRecord
from router.domain.visitors.site import SourceRule as SourceRuleRecord
from router.web.api.models.base import Address, Answer, Body, Key, Name, Spelling, Word

Region = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Selector = Annotated[str, StringConstraints(max_length=1000)]


class SourceRule(Answer):
    """Visits in which a field contains a text belong to a channel."""

    field: str
    """`source`, `medium`, `campaign`, `term`, `landing` or `referrer`."""

    text: str
    """The text, in letters of any case."""

    channel: str
    """The channel."""


class SourceRuleBody(Body):
    """Visits in which a field contains a text belong to a channel."""

    field: Word
    """`source`, `medium`, `campaign`, `term`, `landing` or `referrer`."""

    text: Word
    """The text, in letters of any case."""

    channel: Word
    """The channel."""


class Site(Answer):
    """A web site whose visitors call."""

    id: str
    """The site's key."""

    name: str
    """Its name."""

    origins: tuple[str, ...]
    """Origins whose pages may ask for numbers, e.g. `https://example.com`."""

    destination_id: str | None
    """Where calls to numbers without a destination of their own go."""

    region: str
    """Country in which numbers on its pages are national (ISO 3166)."""

    exclude: str
    """CSS selector of elements that the script never changes."""

    contacts: str
    """Path prefix of the contacts page, e.g. `/contacts`."""

    consent: bool
    """Whether nothing is stored about a visitor who has not consented."""

    certainty: float
    """A visitor is named if their probability is at least this, 0 to 1."""

    source_rules: tuple[SourceRule, ...]
    """Rules that are tried before GA4's channel groups."""

    errand_hosts: tuple[str, ...]
    """Hosts where visitors pay or log in: who comes back from there goes on with the visit."""

    mail: str
    """The mail address whose tags identify visitors and channels."""

    language: Language
    """Language of texts about its calls in CRMs."""

    created_at: datetime
    """When it was added (UTC)."""


class SiteBody(Body):
    """What can be changed of a site."""

    name: Name
    """Its name."""

    origins: Annotated[tuple[Address, ...], Field(max_length=50)] = ()
    """Origins whose pages may ask for numbers, e.g. `https://example.com`."""

    destination_id: Key | None = None
    """Where calls to numbers without a destination of their own go."""

    region: Region = "RU"
    """Country in which numbers on its pages are national (ISO 3166)."""

    exclude: Selector = ""
    """CSS selector of elements that the script never changes."""

    contacts: Word = ""
    """Path prefix of the contacts page, e.g. `/contacts`."""

    consent: StrictBool = False
    """Whether nothing is stored about a visitor who has not consented."""

    certainty: Annotated[float, Field(ge=0, le=1)] = 0.5
    """A visitor is named if their probability is at least this, 0 to 1."""

    source_rules: Annotated[tuple[SourceRuleBody, ...], Field(max_length=200)] = ()
    """Rules that are tried before GA4's channel groups."""

    errand_hosts: Annotated[tuple[Word, ...], Field(max_length=200)] = ()
    """Hosts where visitors pay or log in: who comes back from there goes on with the visit."""

    mail: Word = ""
    """The mail address whose tags identify visitors and channels."""

    language: Language = Language.ENGLISH
    """Language of texts about its calls in CRMs."""

    def fields(self) -> dict[str, Any]:
        """The fields, source rules as the domain has them. Raises `InvalidInput`."""
        rules = tuple(SourceRuleRecord(**rule.fields()) for rule in self.source_rules)
        return {**super().fields(), "source_rules": rules}


class NewSite(SiteBody):
    """A site to add."""

    id: Key
    """The site's key: it is in the script's address, and cannot be changed."""

    def make(self, now: datetime) -> SiteRecord:
        """The site. Raises `InvalidInput`."""
        return SiteRecord(**self.fields(), created_at=now)


class Pool(Answer):
    """The dynamic numbers that one site's visitors are leased from."""

    id: str
    """The pool's key."""

    site_id: str
    """The site it belongs to."""

    name: str
    """Its name."""

    destination_id: str | None
    """Where its numbers' calls go; null: the site's destination."""

    hold_seconds: int
    """How long a lease lasts after the last sign of life, in seconds."""

    freeze_seconds: int
    """The part of it after the visitor has left, in seconds."""

    replaces: tuple[str, ...]
    """Company numbers (E.164) on the pages that are replaced by numbers of this pool."""

    selector: str
    """CSS selector of elements whose first phone number is replaced, whatever it is."""

    on_request: bool
    """Whether a number is leased only to a visitor who asks for it."""

    regions: tuple[str, ...]
    """Regions whose visitors get this pool; empty: all other visitors."""

    free_after_call: bool
    """Whether a number is free as soon as its caller has hung up."""

    leases_per_hour: int | None
    """How many visits per hour may start a lease; null: no limit."""

    created_at: datetime
    """When it was added (UTC)."""


class PoolBody(Body):
    """What can be changed of a pool."""

    name: Name
    """Its name."""

    destination_id: Key | None = None
    """Where its numbers' calls go; null: the site's destination."""

    hold_seconds: StrictInt = 1800
    """How long a lease lasts after the last sign of life, in seconds."""

    freeze_seconds: StrictInt = 1500
    """The part of it after the visitor has left, in seconds."""

    replaces: Annotated[tuple[Spelling, ...], Field(max_length=50)] = ()
    """Company numbers on the pages that are replaced, in any spelling of the site's country."""

    selector: Selector = ""
    """CSS selector of elements whose first phone number is replaced, whatever it is."""

    on_request: StrictBool = False
    """Whether a number is leased only to a visitor who asks for it."""

    regions: Annotated[tuple[Word, ...], Field(max_length=100)] = ()
    """Regions whose visitors get this pool; empty: all other visitors."""

    free_after_call: StrictBool = False
    """Whether a number is free as soon as its caller has hung up."""

    leases_per_hour: Annotated[StrictInt, Field(ge=1, le=10_000_000)] | None = None
    """How many visits per hour may start a lease; null: no limit."""

    def spelled_out(self, region: str) -> Self:
        """The same with its numbers in E.164. Raises `InvalidInput`."""
        numbers = dict.fromkeys(parse_number(text, region) for text in self.replaces)
        return self.model_copy(update={"replaces": tuple(numbers)})


class NewPool(PoolBody):
    """A pool to add."""

    id: Key
    """The pool's key, which cannot be changed."""

    site_id: Key
    """The site it belongs to."""

    def make(self, now: datetime) -> PoolRecord:
        """The pool. Raises `InvalidInput`."""
        return PoolRecord(**self.fields(), created_at=now)
