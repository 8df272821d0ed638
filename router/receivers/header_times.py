"""Times in the headers of an answer: when to ask again, and the server's clock."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST_PATIENCE = timedelta(hours=1)
CLOCKS_DIFFER = timedelta(seconds=30)  # a smaller difference may be the time of the request
WRONG_DATE = timedelta(days=2)  # a larger one is no clock


def retry_after(headers: Mapping[str, str]) -> timedelta:
    """Parse `Retry-After`: seconds, or a date by the server's own clock; otherwise no time."""
    asked = headers.get("retry-after", "")
    if asked.isascii() and asked.isdigit():
        return min(timedelta(seconds=int(asked[:9])), LONGEST_PATIENCE)
    until = _date(asked)
    if until is None:
        return timedelta()
    now = _date(headers.get("date", "")) or datetime.now(UTC)
    return min(max(timedelta(), until - now), LONGEST_PATIENCE)


def clock_ahead(headers: Mapping[str, str]) -> timedelta:
    """By how much the server's clock is ahead of ours, by the date of its answer."""
    at = _date(headers.get("date", ""))
    ahead = at - datetime.now(UTC) if at else timedelta()
    return ahead if CLOCKS_DIFFER < abs(ahead) < WRONG_DATE else timedelta()


def _date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
