"""Samples of calls: so many calls of each employee and week, chosen at random."""

import hashlib
import heapq
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo

MOST_PER_EMPLOYEE = 50
MOST_WEEKS = 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A list of calls to review. Its calls are chosen once and stay."""

    id: str
    name: str
    query: str  # filters, as an address says them, without times
    per_employee: int  # calls of each employee and week
    since: date  # the first Monday
    weeks: int
    seed: str  # the same calls are chosen again by it
    author: str  # login, or `api:` and the name of a token
    created_at: datetime

    @property
    def until(self) -> date:
        """Its last day."""
        return self.since + timedelta(days=7 * self.weeks - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A sample, and how far it is worked off."""

    sample: Sample
    calls: int
    reviewed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawable:
    """A call that may be chosen."""

    call_id: str
    arrived_at: datetime
    employee: str  # who talked last


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A call of a sample."""

    call_id: str
    employee: str
    week: date  # its Monday


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Chooses calls while they are read: those whose hashes with the seed are the least."""

    seed: str
    per_employee: int
    zone: tzinfo  # of the weeks
    _chosen: dict[tuple[date, str], list[tuple[int, str]]] = field(default_factory=dict)

    def consider(self, call: Drawable) -> None:
        """Choose the call unless there are enough better ones of its employee and week."""
        group = (monday(call.arrived_at.astimezone(self.zone).date()), call.employee)
        best = self._chosen.setdefault(group, [])
        entry = (-self._rank(call.call_id), call.call_id)
        if len(best) < self.per_employee:
            heapq.heappush(best, entry)
        else:
            heapq.heappushpop(best, entry)

    def chosen(self) -> list[Drawn]:
        """The calls that were chosen, by week and employee, in random order."""
        drawn = []
        for (week, employee), best in sorted(self._chosen.items()):
            for _, call_id in sorted(best, reverse=True):
                drawn.append(Drawn(call_id=call_id, employee=employee, week=week))
        return drawn

    def _rank(self, call_id: str) -> int:
        digest = hashlib.sha256(f"{self.seed}\n{call_id}".encode()).digest()
        return int.from_bytes(digest[:8])


def monday(day: date) -> date:
    """The Monday of this day's week."""
    return day - timedelta(days=day.weekday())
