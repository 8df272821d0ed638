"""Corrects times in the CEL log if the clock is set during a call.

The agent notices it by the monotonic clock, and adds a row of its own to the calls that
go on. A clock that was set back while no agent ran shows in the order of the rows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from router.domain.calls.ledger import Row

# concurrent rows may be swapped; a clock that was set back goes further
STEP = timedelta(seconds=1)
CLOCK_SET = "RINGTRACE_CLOCK"  # the agent's own row; not in the CEL log
_LONGEST = timedelta(days=100 * 365)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStep:
    """The clock was set between two looks."""

    at: datetime  # set forward: a time between the old clock's and the new one's; set back: the
    # old clock's at the look before
    ahead: timedelta  # negative: set back
    within: timedelta = timedelta(0)  # between the looks

    def is_before(self, at: datetime) -> bool:
        """Whether a time that was noted about now, or not long ago, is the old clock's."""
        if self.ahead > timedelta(0):
            return at < self.at
        return self.at - STEP <= at <= self.at + self.within + STEP


@dataclass(frozen=True, slots=True, kw_only=True)
class Steady:
    """Rows as if the clock had not been set."""

    rows: list[Row]
    offset: timedelta  # from the clock at the end to the times of the rows
    stepped: bool


def noted(rows: Sequence[Row], step: ClockStep) -> list[Row]:
    """The rows so far of a call that goes on, with one for this step."""
    seconds = {"ahead": step.ahead.total_seconds(), "within": step.within.total_seconds()}
    return [*rows, replace(rows[-1], event=CLOCK_SET, at=step.at, extra=seconds)]


def undone(at: datetime, rows: Iterable[Row]) -> datetime:
    """A time noted just now in the call of these rows, as if the clock had not been set."""
    steps = _passed((_step(row) for row in rows if row.event == CLOCK_SET), at)
    return at - sum((step.ahead for step in steps), timedelta(0))


def last_at(rows: Sequence[Row]) -> datetime:
    """When the last of these rows was written."""
    return next((row.at for row in reversed(rows) if row.event != CLOCK_SET), rows[-1].at)


def without_clock_steps(rows: Sequence[Row]) -> Steady:
    """The rows as if the clock had not been set. The order of rows is right whatever the clock:
    rows written later happened later.
    """
    steady, offset, stepped = list[Row](), timedelta(0), False
    steps: dict[datetime, ClockStep] = {}  # noted, and not passed yet; joined groups have the same
    passed = set[datetime]()
    for row in rows:
        if row.event == CLOCK_SET:
            if row.at not in passed:
                steps[row.at] = _step(row)
            continue
        for step in _passed(steps.values(), row.at):
            offset = max(offset - step.ahead, -_LONGEST)
            passed.add(steps.pop(step.at).at)
        at = row.at + offset
        if steady and steady[-1].at - at > STEP:
            offset, at, stepped = min(steady[-1].at - row.at, _LONGEST), steady[-1].at, True
        if offset:
            row = replace(row, at=at)
        steady.append(row)
    return Steady(rows=steady, offset=offset, stepped=stepped or bool(passed))


def _passed(steps: Iterable[ClockStep], at: datetime) -> list[ClockStep]:
    """The steps before a row of this time: where a later one was, those before it were."""
    noted_ones = list(steps)
    while noted_ones and noted_ones[-1].is_before(at):
        noted_ones.pop()
    return noted_ones


def _step(row: Row) -> ClockStep:
    ahead, within = (_seconds(row.extra.get(name)) for name in ("ahead", "within"))
    return ClockStep(at=row.at, ahead=ahead, within=within)


def _seconds(value: object) -> timedelta:
    if not isinstance(value, int | float) or not abs(value) <= _LONGEST.total_seconds():
        return timedelta(0)
    return timedelta(seconds=value)
