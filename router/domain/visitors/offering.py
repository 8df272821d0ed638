"""Selects the pools and static numbers for a visitor, before looking for a free number."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from router.domain.visitors.site import NumberKind, Pool, TrackingNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a visitor is, by the address; names in English."""

    country: str | None = None  # ISO 3166
    region: str | None = None
    city: str | None = None

    def lies_in(self, regions: Iterable[str]) -> bool:
        """Whether one of `regions` is the country, the region or the city."""
        own = {name.casefold() for name in (self.country, self.region, self.city) if name}
        return any(region.casefold() in own for region in regions)


NOWHERE = Place()


def fitting_pools(pools: Sequence[Pool], place: Place) -> list[Pool]:
    """For each number and selector of the site, the pool for the visitor's place, otherwise the
    general one. Each is chosen separately, so a regional pool for two numbers hides neither
    number's pool elsewhere.
    """
    rivals: dict[str, list[Pool]] = {}
    for pool in pools:
        for mark in _marks(pool):
            rivals.setdefault(mark, []).append(pool)
    fitting = [_fitting(some, place) for some in rivals.values()]
    return [pool for pool in pools if pool in fitting]


def _marks(pool: Pool) -> set[str]:
    """What the pool replaces on a page; a pool without replacements has no rival."""
    marks = set(pool.replaces)
    if pool.selector:
        marks.add(pool.selector)
    return marks or {f"pool {pool.id}"}


def _fitting(rivals: Sequence[Pool], place: Place) -> Pool | None:
    here = next((pool for pool in rivals if pool.regions and place.lies_in(pool.regions)), None)
    return here or next((pool for pool in rivals if not pool.regions), None)


def statics_by_channel(numbers: Iterable[TrackingNumber]) -> dict[str, str]:
    """The static numbers of a site by channel, in lower case; the first of two."""
    found: dict[str, str] = {}
    for number in numbers:
        if number.kind is NumberKind.STATIC and number.channel:
            found.setdefault(number.channel.strip().casefold(), number.e164)
    return found


def static_of(
    statics: Mapping[str, str], source: str | None, medium: str | None, channel: str | None
) -> str | None:
    """The static number of a visit: of its source and medium (`google / cpc`), its source or its
    channel.
    """
    for name in (f"{source} / {medium}", source, channel):
        if name and (number := statics.get(name.casefold())):
            return number
    return None
