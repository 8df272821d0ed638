"""Which of a site's numbers a visitor may be offered, before anyone looks whether one is free."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from router.domain.site import NumberKind, Pool, TrackingNumber


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
    """Of pools that stand in for the same company number, the one for the visitor's place, else for everyone else."""
    chosen = []
    for rivals in _rivals(pools):
        here = next((pool for pool in rivals if pool.regions and place.lies_in(pool.regions)), None)
        fitting = here or next((pool for pool in rivals if not pool.regions), None)
        if fitting is not None:
            chosen.append(fitting)
    return chosen


def _rivals(pools: Sequence[Pool]) -> list[list[Pool]]:
    """The pools by what they replace on a page; one that replaces nothing shared is alone."""
    if len(pools) < 2:  # most sites have one, and every page asks
        return [list(pools)] if pools else []
    groups: list[tuple[set[str], list[Pool]]] = []
    for pool in pools:
        marks = {*pool.replaces, *([pool.selector] if pool.selector else ())}
        touched = [group for group in groups if group[0] & marks]
        rest = [group for group in groups if not group[0] & marks]
        groups = [*rest, (marks.union(*(g[0] for g in touched)), [p for g in touched for p in g[1]] + [pool])]
    return [members for _, members in groups]


def statics_by_channel(numbers: Iterable[TrackingNumber]) -> dict[str, str]:
    """The static numbers of a site by what they stand for, in small letters; of two the first."""
    found: dict[str, str] = {}
    for number in numbers:
        if number.kind is NumberKind.STATIC and number.channel:
            found.setdefault(number.channel.strip().casefold(), number.e164)
    return found


def static_of(statics: Mapping[str, str], source: str | None, medium: str | None, channel: str | None) -> str | None:
    """The static number of a visit: of its source and medium (`google / cpc`), its source or its channel."""
    for name in (f"{source} / {medium}", source, channel):
        if name and (number := statics.get(name.casefold())):
            return number
    return None
