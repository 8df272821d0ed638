"""Hours of the day as a filter, in a reader's time zone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

_FIRST, _LAST = datetime(2010, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
_STEP = timedelta(days=7)  # no zone changes its offset twice in a week
_MINUTE = timedelta(minutes=1)
DAY = 24


@dataclass(frozen=True, slots=True)
class Hours:
    """From the full hour `first` to the full hour `last`, over midnight if `last` is earlier; the
    same hour twice is the whole day.
    """

    first: int  # 0…23
    last: int  # 1…24
    zone: tzinfo = UTC

    @property
    def length(self) -> int:
        """How many hours these are."""
        return (self.last - self.first - 1) % DAY + 1


@lru_cache(maxsize=64)
def offsets(zone: tzinfo) -> tuple[tuple[datetime, int], ...]:
    """The seconds that clocks of a zone are ahead of UTC, and since when; the newest first."""
    return tuple(reversed(list(_changes(zone))))


def _changes(zone: tzinfo) -> Iterator[tuple[datetime, int]]:
    at, offset = _FIRST, _ahead(zone, _FIRST)
    yield at, offset
    while at < _LAST:
        following = at + _STEP
        if _ahead(zone, following) != offset:
            moment = _first_with_another(zone, at, following)
            offset = _ahead(zone, moment)
            yield moment, offset
        at = following


def _first_with_another(zone: tzinfo, before: datetime, after: datetime) -> datetime:
    offset = _ahead(zone, before)
    while after - before > _MINUTE:
        middle = before + ((after - before) / 2 // _MINUTE) * _MINUTE
        if _ahead(zone, middle) == offset:
            before = middle
        else:
            after = middle
    return after


def _ahead(zone: tzinfo, at: datetime) -> int:
    ahead = at.astimezone(zone).utcoffset() or timedelta()
    return round(ahead.total_seconds())
