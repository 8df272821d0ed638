"""How many calls are missed, and how soon their callers are called back."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from statistics import median

from router.domain.calls.missed import CONTACTED, MissedState
from router.service.calls.missed_ports import HourOfCalls, PastTask
from router.service.ports import Store

MOST_TASKS = 20_000  # the newest of a period


@dataclass(frozen=True, slots=True, kw_only=True)
class HourFigures:
    """One hour of the day, in the reader's time."""

    hour: int
    calls: int
    missed: int
    median_seconds: float | None  # from the first missed call to the contact

    @property
    def share(self) -> float:
        """The share of missed calls."""
        return self.missed / self.calls if self.calls else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedFigures:
    """A period of time; short abandons are left out, and counted apart."""

    calls: int
    missed: int
    short: int
    spam: int  # left out of all figures
    callers: int  # tasks
    states: Mapping[MissedState, int]  # of those that are done
    open: int
    median_seconds: float | None
    hours: tuple[HourFigures, ...]


async def missed_figures(
    store: Store, since: datetime, until: datetime, zone: tzinfo, site_id: str | None = None
) -> MissedFigures:
    """The figures of a period, by hour of the day in this time zone."""
    async with store.survey() as session:
        hours = await session.missed.hours(site_id, since, until)
        tasks = await session.missed.past(site_id, since, until, MOST_TASKS)
    states = Counter(task.closed_as for task in tasks if task.closed_as)
    return MissedFigures(
        calls=sum(hour.calls for hour in hours),
        missed=sum(hour.missed for hour in hours),
        short=sum(hour.short for hour in hours),
        spam=sum(hour.spam for hour in hours),
        callers=len(tasks),
        states=states,
        open=len(tasks) - states.total(),
        median_seconds=_median(tasks),
        hours=tuple(_by_hour(hours, tasks, zone)),
    )


def _by_hour(
    hours: Iterable[HourOfCalls], tasks: Iterable[PastTask], zone: tzinfo
) -> Iterable[HourFigures]:
    calls, missed = Counter[int](), Counter[int]()
    for counted in hours:
        hour = counted.at.astimezone(zone).hour
        calls[hour] += counted.calls
        missed[hour] += counted.missed
    by_hour: dict[int, list[PastTask]] = {}
    for task in tasks:
        by_hour.setdefault(task.since.astimezone(zone).hour, []).append(task)
    for hour in sorted({*calls, *by_hour}):
        yield HourFigures(
            hour=hour,
            calls=calls[hour],
            missed=missed[hour],
            median_seconds=_median(by_hour.get(hour, ())),
        )


def _median(tasks: Iterable[PastTask]) -> float | None:
    seconds = [
        max(0.0, (task.closed_at - task.waits_from).total_seconds())
        for task in tasks
        if task.closed_at and task.closed_as in CONTACTED
    ]
    return median(seconds) if seconds else None
