"""Formats times, durations and numbers in the reader's language and time zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit


def zone(name: str | None) -> tzinfo:
    """The time zone with this name, e.g. `Europe/Moscow`; UTC if unknown."""
    try:
        if not name:
            return UTC
        return ZoneInfo(name)
    # the cookie may contain anything: unknown names, paths, directories
    except (
        KeyError,
        ValueError,
        OSError,
    ):
        return UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class Formats:
    """Formats for one reader."""

    locale: Locale
    zone: tzinfo
    now: datetime

    def today(self) -> date:
        """The reader's date."""
        return self.now.astimezone(self.zone).date()

    def moment(self, at: datetime) -> str:
        """Date and time to the second, e.g. `20 Jan 2026, 14:03:05`."""
        return format_datetime(at, "medium", tzinfo=self.zone, locale=self.locale)

    def time(self, at: datetime) -> str:
        """Time of day, e.g. `14:03`."""
        return format_time(at, "short", tzinfo=self.zone, locale=self.locale)

    def exact_time(self, at: datetime) -> str:
        """Time of day to the second, e.g. `14:03:05`."""
        return format_time(at, "medium", tzinfo=self.zone, locale=self.locale)

    def day(self, at: datetime) -> str:
        """The date, e.g. `20 Jan`, with the year when it is not this one."""
        return self.date(at.astimezone(self.zone).date())

    def date(self, day: date) -> str:
        """A date without a time, as `day` writes it."""
        skeleton = "d MMM y"
        if day.year == self.today().year:
            skeleton = "d MMM"

        return format_date(day, skeleton, locale=self.locale)

    def clock(self, seconds: float) -> str:
        """A length as on a player: `0:07`, `12:30`, `1:02:03`."""
        minutes, rest = divmod(round(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        if hours:
            return f"{hours}:{minutes:02}:{rest:02}"
        return f"{minutes}:{rest:02}"

    def span(self, length: timedelta) -> str:
        """A duration in words, e.g. `12 minutes`."""
        return format_timedelta(length, locale=self.locale)

    def length(self, seconds: int) -> str:
        """Whole seconds in the largest exact unit, e.g. `90 minutes`."""
        for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60)):
            if seconds and seconds % size == 0:
                return format_unit(seconds // size, unit, "long", locale=self.locale)
        return format_unit(seconds, "second", "long", locale=self.locale)

    def percent(self, share: float, digits: int = 1) -> str:
        """A share of one, with at most `digits` decimals of a percent."""
        return format_percent(
            round(share, digits + 2), decimal_quantization=False, locale=self.locale
        )

    def number(self, value: float, digits: int = 1) -> str:
        """A number with at most `digits` decimals."""
        return format_decimal(round(value, digits), locale=self.locale)

    def at_most(self, count: int, most: int) -> str:
        """A count that stopped just above `most`, e.g. `444`, `1,000+`."""
        if count > most:
            return f"{self.number(most)}+"
        return self.number(count)
