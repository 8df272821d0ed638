"""Ports of the use cases of visitors: leases, visits, pools, and visit enrichment."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from router.domain.visitors.client_key import Asker
from router.domain.visitors.lease import Lease
from router.domain.visitors.occupancy import Held
from router.domain.visitors.site import TrackingNumber
from router.domain.visitors.visit import DisplayLevel, Reason, Visit, Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Facts about a number's holder for the company's phone during the call."""

    lease_id: str
    client_id: str | None  # Google's
    campaign: str | None
    source: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackCount:
    """Number of visits that were shown a fallback."""

    level: DisplayLevel
    reason: Reason
    visits: int


class Browser(Protocol):
    """What a request's User-Agent says."""

    @property
    def device(self) -> str: ...  # desktop · mobile · tablet · other
    @property
    def browser(self) -> str | None: ...
    @property
    def system(self) -> str | None: ...
    @property
    def robot(self) -> bool: ...


class Place(Protocol):
    """Where an address is, in English."""

    @property
    def country(self) -> str | None: ...
    @property
    def region(self) -> str | None: ...
    @property
    def city(self) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitEnrichment:
    """Enrichment of a visit: look-ups without I/O; None if unknown."""

    # a host → its name and kind
    referrers: Callable[[str], tuple[str, str] | None] = lambda _: None
    browsers: Callable[[str], Browser | None] = lambda _: None  # a User-Agent
    places: Callable[[str], Place | None] = lambda _: None  # an IP address


class Leases(Protocol):
    """Leases and their numbers."""

    async def save(self, leases: Sequence[Lease]) -> None: ...
    async def lock_number(self, e164: str) -> TrackingNumber | None: ...
    async def lock_numbers(self, e164s: Collection[str]) -> dict[str, TrackingNumber]: ...
    async def lock_idle_numbers(self, pool_id: str, now: datetime, most: int = 1) -> list[str]: ...
    async def newest(self, visitor_ids: Collection[str]) -> dict[tuple[str, str], Lease]: ...
    async def holdings(
        self, pool_id: str, askers: Sequence[Asker], now: datetime
    ) -> tuple[int, dict[str, int], dict[str, int]]: ...
    async def lock_over_held(
        self,
        pool_id: str,
        now: datetime,
        most: int,
        share: int,
        network_share: int,
        unshown_since: datetime,
    ) -> list[Lease]: ...
    async def note_holders(self, holders: Mapping[str, Asker | None], now: datetime) -> None: ...
    async def most_held(self, pool_id: str, now: datetime) -> tuple[str, int] | None: ...
    async def count_begun(self, pool_id: str, since: datetime) -> int: ...
    async def holder(self, number: str, now: datetime) -> Holder | None: ...
    async def last(self, moments: Sequence[tuple[str, datetime]]) -> list[Lease | None]: ...
    async def find(
        self, *, number: str | None = None, visitor_id: str | None = None, limit: int = 50
    ) -> list[Lease]: ...


class Visits(Protocol):
    """Visits and their events."""

    async def going(self, visitor_ids: Collection[str], since: datetime) -> dict[str, Visit]: ...
    async def left_visitors(
        self, clients: Collection[str], since: datetime, now: datetime
    ) -> dict[str, str]: ...
    async def with_visitor(self, visit_id: str) -> tuple[Visit, Visitor] | None: ...
    async def note_seen(self, visit_ids: Collection[str], now: datetime) -> None: ...
    async def codes_in_use(self, codes: Collection[str], since: datetime) -> set[str]: ...
    async def count_records(
        self, kind: type[Any], visit_ids: Collection[str]
    ) -> dict[str, int]: ...


class Pools(Protocol):
    """How pools were used, for plans and reports."""

    async def arrivals(
        self,
        site_id: str,
        since: datetime,
        until: datetime,
        *,
        regions: Collection[str] = (),
        without: Collection[str] = (),
    ) -> dict[datetime, int]: ...
    async def service(
        self, pool_id: str, since: datetime, until: datetime
    ) -> tuple[int, float | None]: ...
    async def fallbacks(
        self, pool_id: str, since: datetime, until: datetime
    ) -> list[FallbackCount]: ...
    async def held(
        self, pool_id: str, since: datetime, until: datetime, longest: timedelta
    ) -> list[Held]: ...
