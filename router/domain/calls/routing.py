"""The route of a call: from the set-up to the route line for the dialplan.

The line is `number|destination|lease|flags|client id|source|steps`. Its parts contain few
characters, because the dialplan splits it at `|`, `^` and `~`; text from visitors or advertisers is
reduced here and again in the dialplan.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from router.domain.phone import digits, spellings
from router.domain.visitors.site import Destination, Pool, Site, TrackingNumber

_UNSAFE_SOURCE = re.compile(r"[^\w .()-]+")  # no | ^ ~ , " $ { }

NOWHERE = "||||||"  # a route without steps: nothing is set up, and the caller hears a tone


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The present route of one number."""

    number: TrackingNumber | None  # None for the default line
    destination: Destination


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackEntry:
    """One entry of the fallback table: digits as dialled, or `default`, and the route."""

    key: str
    route: str


def encode(route: Route, *, lease_id: str = "", client_id: str = "", source: str = "") -> str:
    """Encode the route line."""
    destination, number, transfers = route.destination, "", ""
    if route.number:
        number = route.number.e164
    if destination.dtmf_transfer:
        transfers = "t"
    if not destination.send_client_id:
        client_id = ""
    if not destination.send_source:
        source = ""

    steps = "^".join(f"{step.dial}~{step.ring_seconds}" for step in destination.steps)
    source = _UNSAFE_SOURCE.sub("", source)
    return "|".join((number, destination.id, lease_id, transfers, client_id, source, steps))


class RoutingTable:
    """All routes, by every spelling of every number. Built whole, then only read."""

    def __init__(
        self,
        sites: Iterable[Site],
        destinations: Iterable[Destination],
        pools: Iterable[Pool],
        numbers: Iterable[TrackingNumber],
    ) -> None:
        self.sites = {site.id: site for site in sites}
        self._destinations = {destination.id: destination for destination in destinations}
        self._pools = {pool.id: pool for pool in pools}
        self._routes: dict[str, Route] = {}
        self._numbers: dict[str, TrackingNumber] = {}
        self._default = self._default_route()
        ordered = sorted(numbers, key=lambda number: number.e164)
        for number in (
            ordered
        ):  # exact form first, so that a shorter spelling of another number does not hide it
            self._learn(digits(number.e164), number)
        for number in ordered:
            for spelling in spellings(number.e164):
                self._learn(spelling, number)

    def find(self, did: str) -> Route | None:
        """The route of a DID as dialled; the default line for an unknown one; None when there is
        not even that.
        """
        return self._routes.get(digits(did)) or self._default

    def number(self, did: str) -> TrackingNumber | None:
        """The tracking number behind a DID as dialled."""
        return self._numbers.get(digits(did))

    def fallback(self) -> list[FallbackEntry]:
        """The fallback table for the dialplan."""
        entries = [
            FallbackEntry(key=key, route=encode(route))
            for key, route in sorted(self._routes.items())
        ]
        if self._default:
            entries.append(FallbackEntry(key="default", route=encode(self._default)))
        return entries

    def _learn(self, spelling: str, number: TrackingNumber) -> None:
        self._numbers.setdefault(spelling, number)
        if spelling not in self._routes and (destination := self._destination_of(number)):
            self._routes[spelling] = Route(number=number, destination=destination)

    def _destination_of(self, number: TrackingNumber) -> Destination | None:
        pool = self._pools.get(number.pool_id or "")
        site = self.sites.get(number.site_id)
        for key in (
            number.destination_id,
            pool and pool.destination_id,
            site and site.destination_id,
        ):
            if key and key in self._destinations:
                return self._destinations[key]
        return None

    def _default_route(self) -> Route | None:
        """The default line of the first site that has one: an unknown DID belongs to no site."""
        for site in sorted(self.sites.values(), key=lambda site: (site.created_at, site.id)):
            if site.destination_id in self._destinations:
                return Route(number=None, destination=self._destinations[site.destination_id])
        return None
