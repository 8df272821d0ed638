"""The population that could have called a site at a moment: visitors on its pages, visitors who
left, and phones that called. A call is informative only relative to the calls that did not
happen. Comparing with the whole population at the same moment cancels out hours of the day and
days of the week.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from router.domain.attribution.hypotheses import AGES, DELAYS, Cause, bin_of

Span = tuple[float, float, float]  # a lease in seconds since 1970: begun, last heartbeat, frozen


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """How many could have called, by cause and bin."""

    present: tuple[int, ...]
    gone: tuple[int, ...]
    redial: tuple[int, ...]
    numbers: int

    def bins(self) -> Iterator[tuple[Cause, int, int]]:
        """Cause, bin, how many."""
        for cause, counts in (
            (Cause.PRESENT, self.present),
            (Cause.GONE, self.gone),
            (Cause.REDIAL, self.redial),
        ):
            for index, count in enumerate(counts):
                if count:
                    yield cause, index, count
        yield Cause.UNATTRIBUTED, 0, self.numbers


def crowds(
    moments: Sequence[datetime],
    leases: Iterable[Span],
    calls: Iterable[tuple[datetime, str]],
    numbers: int,
) -> list[Crowd]:
    """The crowd at each of the ascending `moments`. `calls`: when each phone called."""
    spans = sorted(leases)
    seen = sorted(span[1] for span in spans)
    rang = sorted((at.timestamp(), phone) for at, phone in calls)
    last: dict[str, float] = {}
    present: list[Span] = []
    found, begun, heard = [], 0, 0
    for moment in moments:
        at = moment.timestamp()
        while begun < len(spans) and spans[begun][0] <= at:
            present.append(spans[begun])
            begun += 1
        present = [span for span in present if span[2] > at]
        while heard < len(rang) and rang[heard][0] < at:
            last[rang[heard][1]] = rang[heard][0]
            heard += 1
        found.append(_crowd(at, present, seen, last, numbers))
    return found


def _crowd(
    at: float, present: Sequence[Span], seen: Sequence[float], last: dict[str, float], numbers: int
) -> Crowd:
    ages = Counter(bin_of(AGES, at - span[0], open_end=True) for span in present)
    silent = Counter(bin_of(DELAYS, at - span[1]) for span in present if span[1] <= at)
    phones = sorted(last.values())
    gone, redial = list[int](), list[int]()
    for index, (low, high) in enumerate(pairwise(DELAYS)):
        left = bisect_right(seen, at - low) - bisect_right(seen, at - high)
        gone.append(max(0, left - silent[index]))
        redial.append(bisect_left(phones, at - low) - bisect_left(phones, at - high))

    shown = tuple(ages[index] for index in range(len(AGES)))
    return Crowd(present=shown, gone=tuple(gone), redial=tuple(redial), numbers=numbers)
