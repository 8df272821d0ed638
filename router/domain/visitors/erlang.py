"""Calculates the size of a pool by Erlang's loss formula: a visitor who finds all numbers in use
gets none.

Visitors arrive independently, each holds one number for a while, and there is no queue: Erlang B.
The formula depends only on the mean holding time. A number is held while its visitor is on the page
and through the freeze. Load follows the hour of the day, so what counts is how many arrive in the
busiest stretch as long as the holding time (Jagerman's modified offered load): an hour's peak for
short holds, a whole day for long ones.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil, sqrt
from statistics import fmean

from router.errors import InvalidInput

ASKING = 0.22  # of visitors press *show number*: published figures lie between 20 and 25 %
DAYS = 28  # of arrivals that a plan looks at: four whole weeks, so that each weekday counts alike
SHARES = (0.1, 0.05, 0.01, 0.001)
BUSY_DAYS = 5 / 7  # the share of busy days in a week
MANY_DAYS = 5  # one of which may be an outlier
HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """The numbers needed for one hold time."""

    hold_seconds: int
    # numbers in use in the busiest time, with an unlimited pool
    erlangs: float
    numbers: tuple[int, ...]  # for each requested share of visitors without a number


def blocking(numbers: int, erlangs: float) -> float:
    """Erlang B: the share of visitors who find all `numbers` taken while `erlangs` are offered."""
    _check_load(erlangs)
    if numbers < 0:
        raise InvalidInput(f"a pool has 0 numbers or more, not {numbers}")
    lost = 1.0
    for count in range(1, numbers + 1):
        lost = _one_more(lost, count, erlangs)
    return lost


def numbers_for(erlangs: float, share_without: float) -> int:
    """The fewest numbers that leave at most `share_without` of visitors without one."""
    _check_load(erlangs)
    if not 0 < share_without <= 1:
        raise InvalidInput(
            f"the share without a number is above 0 and at most 1, not {share_without}"
        )
    lost, numbers = 1.0, 0
    while lost > share_without:
        numbers += 1
        lost = _one_more(lost, numbers, erlangs)
    return numbers


def numbers_needed(arrivals_per_hour: float, hold_seconds: float, share_without: float) -> int:
    """The fewest numbers for a steady stream of visitors, each holding one for `hold_seconds` on
    average.
    """
    return numbers_for(arrivals_per_hour * hold_seconds / HOUR, share_without)


def busiest_load(arrivals: Sequence[float], held_seconds: float) -> float:
    """Erlangs offered in the busiest time, each visitor holding a number for `held_seconds` on
    average.

    `arrivals` are those of each hour, the oldest first. The load at any moment is what arrived
    within the holding time before it. Planned for is the busiest hour of the day, as it is on its
    busier five days in seven, plus one standard deviation of what these days differ beyond chance:
    Erlang's formula has chance in it already, so the one busiest hour of a month, mostly chance,
    would be counted twice. One day's accident, or a robot's, is left out.
    """
    hours = held_seconds / HOUR
    if not arrivals or hours >= len(arrivals):
        if not arrivals:
            return 0.0
        return fmean(arrivals) * hours
    loads = _loads(arrivals, hours)
    days = [loads[end - 24 : end] for end in range(len(loads), 23, -24)] or [loads]
    chance = min(1.0, hours)
    return max(_with_spread(_busier(same), chance=chance) for same in zip(*days, strict=True))


def plan(
    arrivals: Sequence[float],
    *,
    page_seconds: float,
    silence_seconds: int,
    holds: Iterable[int],
    shares: Sequence[float] = SHARES,
    asking: float = 1.0,
) -> tuple[Need, ...]:
    """What a pool needs for each hold time.

    `page_seconds` is how long a lease lasts before its freeze, on average; `silence_seconds` the
    part of the hold that is not the freeze; `asking` the share of visitors who ever ask for a
    number.
    """
    if not 0 < asking <= 1:
        raise InvalidInput(
            f"the share of visitors who ask for a number is above 0 and at most 1, not {asking}"
        )
    needs = []
    for hold in holds:
        load = asking * busiest_load(arrivals, page_seconds + max(0, hold - silence_seconds))
        numbers = tuple(numbers_for(load, share) for share in shares)
        needs.append(Need(hold_seconds=hold, erlangs=load, numbers=numbers))
    return tuple(needs)


def _one_more(lost: float, numbers: int, erlangs: float) -> float:
    """Erlang's recursion from `numbers - 1` to `numbers`: sums of positive terms only, so nothing
    cancels.
    """
    return erlangs * lost / (numbers + erlangs * lost)


def _check_load(erlangs: float) -> None:
    if not 0 <= erlangs < 1e7:
        raise InvalidInput(f"a pool's load is between 0 and ten million erlangs, not {erlangs}")


def _loads(arrivals: Sequence[float], hours: float) -> list[float]:
    """For the end of each hour, what arrived in the `hours` before it, as far as all of them are
    known.
    """
    sums = [0.0, *accumulate(arrivals)]
    whole = int(hours)
    part = hours - whole
    first = whole + (part > 0)
    loads = []
    for end in range(max(1, first), len(sums)):
        load = sums[end] - sums[end - whole]
        if part:
            load += part * arrivals[end - whole - 1]
        loads.append(load)
    return loads


def _busier(loads: Sequence[float]) -> list[float]:
    """The higher five in seven; where there are many, the very highest counts as the second."""
    high = sorted(loads, reverse=True)[: ceil(len(loads) * BUSY_DAYS)]
    if len(high) >= MANY_DAYS:
        return [high[1], *high[1:]]
    return high


def _with_spread(loads: Sequence[float], chance: float) -> float:
    """The mean, plus the standard deviation left when Poisson's variance, `chance` of the mean, is
    taken off.

    Never more than was seen.
    """
    mean = fmean(loads)
    if len(loads) < 2:
        return mean
    variance = sum((load - mean) ** 2 for load in loads) / (len(loads) - 1)
    return min(max(loads), mean + sqrt(max(0.0, variance - chance * mean)))
