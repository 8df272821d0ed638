"""How many of a pool's numbers were in use at once, hour by hour.

A visitor who returns during the freeze gets a new lease of the same number, so leases of one number
may overlap: numbers are counted, not leases.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

AN_HOUR = timedelta(hours=1)
IDLE_SHARE = 0.2  # of a pool's numbers should be idle even in its busiest hour


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A number was held, by one visitor or another, from `since` to `until`."""

    number: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HourHeld:
    """The most numbers held at one moment of the hour that begins at `hour`."""

    hour: datetime
    most: int


class Shortage(StrEnum):
    """Why a pool has run out of numbers, or nearly has."""

    NO_NUMBERS = "no_numbers"
    RAN_DRY = "ran_dry"  # a visitor found all numbers in use
    BUDGET = "budget"  # a visitor came after its hourly limit was reached
    NEARLY = "nearly"  # too few were idle in its busiest hour


def shortage(
    *, numbers: int, most_held: int, found_empty: int, over_budget: int
) -> Shortage | None:
    """The worst problem with a pool's size."""
    if numbers == 0:
        return Shortage.NO_NUMBERS
    if found_empty:
        return Shortage.RAN_DRY
    if over_budget:
        return Shortage.BUDGET
    if numbers - most_held < IDLE_SHARE * numbers:
        return Shortage.NEARLY
    return None


def most_held(spans: Iterable[Held], since: datetime, until: datetime) -> tuple[HourHeld, ...]:
    """For each hour from `since` to `until`, whole hours both. `spans` are ordered by number and
    beginning.
    """
    steps: list[tuple[datetime, int]] = []
    for span in _merged(spans):
        steps += [(span.since, 1), (span.until, -1)]
    steps.sort()

    hours, held, index = [], 0, 0
    hour = since
    while hour < until:
        most = held
        while index < len(steps) and steps[index][0] < hour + AN_HOUR:
            at, change = steps[index]
            held += change
            if at <= hour:
                most = held
            else:
                most = max(most, held)
            index += 1
        hours.append(HourHeld(hour=hour, most=most))
        hour += AN_HOUR
    return tuple(hours)


def by_hour_of_day(
    hours: Sequence[HourHeld], hour_of_day: Sequence[int]
) -> tuple[tuple[float, int], ...]:
    """For each of the 24 hours of the day, the mean and the highest of `most`; `hour_of_day` tells
    each one's.
    """
    days: list[list[int]] = [[] for _ in range(24)]
    for held, hour in zip(hours, hour_of_day, strict=True):
        days[hour].append(held.most)
    return tuple((sum(day) / max(1, len(day)), max(day, default=0)) for day in days)


def _merged(spans: Iterable[Held]) -> Iterable[Held]:
    last: Held | None = None
    for span in spans:
        if last and last.number == span.number and span.since <= last.until:
            last = Held(number=last.number, since=last.since, until=max(last.until, span.until))
            continue
        if last:
            yield last
        last = span
    if last:
        yield last
