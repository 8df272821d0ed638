"""The ports of missed callers and of calls back."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from router.domain.calls.call_back import CallBack
from router.domain.calls.missed import MissedCaller, MissedState
from router.domain.calls.missed_events import RungCall


@dataclass(frozen=True, slots=True, kw_only=True)
class HourOfCalls:
    """The calls that ended in one hour."""

    at: datetime
    calls: int
    missed: int  # short abandons left out of both
    short: int
    spam: int = 0  # left out of all


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySums:
    """The calls that ended in a day."""

    calls: int  # short abandons included
    answered: int
    missed: int  # short abandons left out
    mean_wait_seconds: float | None  # of answered calls


@dataclass(frozen=True, slots=True, kw_only=True)
class PastTasks:
    """The tasks that began in a quarter of an hour and came to the same end."""

    at: datetime  # when it began
    closed_as: MissedState | None
    tasks: int
    seconds: tuple[float, ...]  # from the first missed call to the end of each, if there is one


class Missed(Protocol):
    """Tasks of missed callers."""

    async def lock(self) -> None: ...
    async def revision(self) -> int: ...
    async def touched(self, callers: Collection[str], at: datetime) -> list[MissedCaller]: ...
    async def calls_of(
        self, site_id: str | None, caller: str, since: datetime
    ) -> list[RungCall]: ...
    async def rung(self, call_id: str) -> RungCall | None: ...
    async def moving(self, last_from: datetime, later_than: datetime) -> list[MissedCaller]: ...
    async def moving_calls(self, now: datetime, arrived_from: datetime) -> list[str]: ...
    async def move_calls(self, call_ids: Sequence[str], ahead: timedelta) -> None: ...
    async def save(self, tasks: Sequence[MissedCaller], gone: Collection[str] = ...) -> None: ...
    async def open(self, now: datetime, site_id: str | None, most: int) -> list[MissedCaller]: ...
    async def closed(
        self, site_id: str | None, before: tuple[datetime, str] | None, limit: int
    ) -> list[MissedCaller]: ...
    async def count_waiting(self, now: datetime) -> int: ...
    async def past(
        self, site_id: str | None, since: datetime, until: datetime
    ) -> list[PastTasks]: ...
    async def day(self, since: datetime, until: datetime) -> DaySums: ...
    async def hours(
        self, site_id: str | None, since: datetime, until: datetime
    ) -> list[HourOfCalls]: ...


class CallBacks(Protocol):
    """Calls back that people asked for."""

    async def asked(self) -> list[CallBack]: ...
    async def recent(self, since: datetime, most: int = ...) -> list[CallBack]: ...
