"""How many calls are missed, and how soon their callers are called back."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from statistics import median

from router.domain.calls.missed import CONTACTED, MissedState
from router.service.calls.missed_ports import HourOfCalls, PastTasks
from router.service.ports import Store


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
        if not self.calls:
            return 0.0
        return self.missed / self.calls


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
        tasks = await session.missed.past(site_id, since, until)
    states: Counter[MissedState] = Counter()
    for some in tasks:
        if some.closed_as:
            states[some.closed_as] += some.tasks
    callers = sum(some.tasks for some in tasks)
    return MissedFigures(
        calls=sum(hour.calls for hour in hours),
        missed=sum(hour.missed for hour in hours),
        short=sum(hour.short for hour in hours),
        spam=sum(hour.spam for hour in hours),
        callers=callers,
        states=states,
        open=callers - states.total(),
        median_seconds=_median(tasks),
        hours=tuple(_by_hour(hours, tasks, zone)),
    )


def _by_hour(
    hours: Iterable[HourOfCalls], tasks: Iterable[PastTasks], zone: tzinfo
) -> Iterable[HourFigures]:
    calls, missed = Counter[int](), Counter[int]()
    for counted in hours:
        hour = counted.at.astimezone(zone).hour
        calls[hour] += counted.calls
        missed[hour] += counted.missed
    by_hour: dict[int, list[PastTasks]] = {}
    for some in tasks:
        by_hour.setdefault(some.at.astimezone(zone).hour, []).append(some)
    for hour in sorted({*calls, *by_hour}):
        yield HourFigures(
            hour=hour,
            calls=calls[hour],
            missed=missed[hour],
            median_seconds=_median(by_hour.get(hour, ())),
        )


def _median(tasks: Iterable[PastTasks]) -> float | None:
    seconds: list[float] = []
    for some in tasks:
        if some.closed_as in CONTACTED:
            seconds += (max(0.0, length) for length in some.seconds)
    if not seconds:
        return None
    return median(seconds)
