"""The clock, passed as an argument so that tests can set it."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]  # aware UTC


def utc_now() -> datetime:
    """The clock of every process."""
    return datetime.now(UTC)
