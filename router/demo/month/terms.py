"""The terms of the invented month: how much of it, its clock, and how far it is."""

from dataclasses import dataclass
from datetime import datetime

from router.demo.month.cast import CLOSES, CLOSES_ON_SATURDAY, OPENS, ZONE
from router.service.calls.ports import Cursor

DESTINATION = "demo-line"
SYSTEM = "month"  # whose CEL log it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is invented."""

    days: int = 30
    visits: int = 21  # on a usual day
    other_calls: int = 5  # likewise: to numbers of channels, and to numbers that callers know
    recordings: int = 30  # of the newest answered calls


@dataclass(slots=True)
class Clock:
    """The clock of the invented month."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A caller, and the number that they know."""

    number: str
    name: str
    dials: str  # E.164


def begun(cursor: Cursor | None) -> tuple[datetime, int] | None:
    """When a month that was begun ends, and how many of its days were begun."""
    if cursor is None:
        return None
    return datetime.fromisoformat(cursor.file.partition(" ")[2]), cursor.offset


def file_of(end: datetime) -> str:
    return f"{SYSTEM} {end.isoformat()}"


def is_open(at: datetime) -> bool:
    local = at.astimezone(ZONE)
    closes = {5: CLOSES_ON_SATURDAY, 6: 0}.get(local.weekday(), CLOSES)
    return OPENS <= local.hour < closes
