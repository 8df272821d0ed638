"""The clock, passed as an argument so that tests can set it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from router.domain.calls.clock_steps import ClockStep

Clock = Callable[[], datetime]  # aware UTC

LEAST_STEP = timedelta(seconds=2)  # a clock that NTP slews, or a read that waited, is not set


def utc_now() -> datetime:
    """The clock of every process."""
    return datetime.now(UTC)


class StepWatch:
    """Notices that the clock was set, by the monotonic clock, which cannot be set. A
    machine that slept is the same: no one talked meanwhile.
    """

    def __init__(self, clock: Clock, steady: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._steady = clock, steady
        self._at, self._ticks = clock(), steady()

    def now(self) -> datetime:
        """The time by the clock as it was set at the last look."""
        return self._at + timedelta(seconds=self._steady() - self._ticks)

    def look(self) -> ClockStep | None:
        """The step since the last look."""
        at, ticks = self._clock(), self._steady()
        passed, since = timedelta(seconds=ticks - self._ticks), self._at
        self._at, self._ticks = at, ticks
        ahead = at - since - passed
        if abs(ahead) < LEAST_STEP:
            return None
        if ahead > timedelta(0):
            moment = since + (at - since) / 2
        else:
            moment = since

        return ClockStep(at=moment, ahead=ahead, within=passed)
