"""A clock that is set during a call makes it neither longer nor shorter."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from router.domain.calls.call import Call
from router.domain.calls.clock_steps import CLOCK_SET, ClockStep, last_at, noted, undone
from router.domain.calls.folding import fold
from router.domain.calls.ledger import Ledger, Row
from router.service.clock import StepWatch
from tests.support.builders import NOON, answered_call, later

DAY = timedelta(days=1)
ROWS = answered_call(talk=60, ring=5).rows
TALKING = next(n for n, row in enumerate(ROWS) if row.at > later(6))


def moved(rows: Sequence[Row], by: timedelta) -> list[Row]:
    return [replace(row, at=row.at + by) for row in rows]


def folded(rows: Sequence[Row]) -> Call:
    (call,) = fold(rows)
    return call


def parts(call: Call) -> tuple[float, ...]:
    return call.wait_seconds, call.talk_seconds, call.hold_seconds, call.transfer_seconds


@pytest.mark.parametrize("ahead", [timedelta(seconds=30), DAY, 20_000 * DAY])
@pytest.mark.parametrize("place", range(1, len(ROWS)))
def test_a_clock_that_is_set_forward_makes_no_part_of_the_call_longer(
    ahead: timedelta, place: int
) -> None:
    before, after = ROWS[place - 1].at, ROWS[place].at
    step = ClockStep(at=before + (after + ahead - before) / 2, ahead=ahead)
    call, right = folded([*noted(ROWS[:place], step), *moved(ROWS[place:], ahead)]), folded(ROWS)
    assert parts(call) == parts(right)
    assert (call.arrived_at, call.ended_at) == (right.arrived_at, right.ended_at)
    assert (call.clock_stepped, right.clock_stepped) == (True, False)


@pytest.mark.parametrize("back", [timedelta(seconds=20), timedelta(hours=1), DAY])
@pytest.mark.parametrize("place", range(1, len(ROWS)))
def test_a_clock_that_is_set_back_makes_no_part_of_the_call_shorter(
    back: timedelta, place: int
) -> None:
    before, after = ROWS[place - 1].at, ROWS[place].at
    step = ClockStep(at=before + (after - before) / 9, ahead=-back, within=(after - before) / 9)
    call = folded([*noted(ROWS[:place], step), *moved(ROWS[place:], -back)])
    if after - before > timedelta(seconds=1):  # rows of one moment may be on either side
        assert parts(call) == parts(folded(ROWS))
        assert call.clock_stepped
    assert call.arrived_at == ROWS[0].at


FORWARD = ClockStep(at=later(9) + DAY / 2, ahead=DAY)
BACK = ClockStep(at=later(9), ahead=-DAY, within=timedelta(seconds=0.5))
AGAIN = {
    "forward, then back": (FORWARD, replace(BACK, at=BACK.at + DAY), DAY),
    "back, then forward": (BACK, replace(FORWARD, at=later(9) - DAY / 2), -DAY),
}


@pytest.mark.parametrize("seen", [0, 1], ids=["unseen", "a row between"])
@pytest.mark.parametrize(("first", "second", "by"), AGAIN.values(), ids=AGAIN)
def test_a_clock_that_is_set_and_set_right_again_changes_nothing(
    first: ClockStep, second: ClockStep, by: timedelta, seen: int
) -> None:
    between = TALKING + seen
    rows = noted([*noted(ROWS[:TALKING], first), *moved(ROWS[TALKING:between], by)], second)
    assert parts(folded([*rows, *ROWS[between:]])) == parts(folded(ROWS))


def test_rows_that_were_read_after_the_step_and_written_before_it_are_not_moved() -> None:
    step = ClockStep(at=ROWS[TALKING].at, ahead=-DAY, within=timedelta(seconds=0.5))
    rows = [*noted(ROWS[:TALKING], step), ROWS[TALKING], *moved(ROWS[TALKING + 1 :], -DAY)]
    assert parts(folded(rows)) == parts(folded(ROWS))


def test_calls_that_are_joined_after_a_step_have_it_once() -> None:
    one = [*noted(ROWS[:TALKING], FORWARD), *moved(ROWS[TALKING:], DAY)]
    other = [replace(row, uniqueid="o", linkedid="o") for row in one if row.event == CLOCK_SET]
    ledger = Ledger({"one": one, "other": other})
    ledger.add(replace(one[-1], linkedid="o"))
    (group,) = ledger
    assert folded(group.rows).talk_seconds == folded(ROWS).talk_seconds


def test_a_cut_call_ends_by_the_clock_before_the_step() -> None:
    rows = [*noted(ROWS[:TALKING], FORWARD), *moved(ROWS[TALKING : TALKING + 1], DAY)]
    (call,) = fold(rows, cut_at=rows[-1].at)
    assert call.ended_at == ROWS[TALKING].at


def test_a_hold_is_moved_as_the_rows_of_its_call() -> None:
    for step in (FORWARD, BACK):
        rows = noted(ROWS[:TALKING], step)
        assert undone(later(20) + step.ahead, rows) == later(20)
        assert undone(later(9), rows) == later(9)
        assert last_at(rows) == ROWS[TALKING - 1].at
    assert undone(later(20), ROWS) == later(20)
    both = noted(noted(ROWS[:TALKING], FORWARD), replace(BACK, at=BACK.at + DAY))
    assert undone(later(20), both) == later(20), "set right again"


@pytest.mark.parametrize("extra", [{}, {"ahead": "9"}, {"ahead": None}, {"ahead": 1e300}])
def test_a_row_of_ours_that_says_nothing_moves_nothing(extra: dict[str, object]) -> None:
    odd = replace(ROWS[0], event=CLOCK_SET, extra=extra)
    assert parts(folded([*ROWS[:3], odd, *ROWS[3:]])) == parts(folded(ROWS))


def test_a_step_is_noticed_beside_a_clock_that_nobody_can_set() -> None:
    clock = {"at": NOON, "ticks": 0.0}

    def passes(seconds: float, ahead: float = 0.0) -> ClockStep | None:
        clock["at"] += timedelta(seconds=seconds + ahead)
        clock["ticks"] += seconds
        return watch.look()

    watch = StepWatch(lambda: clock["at"], lambda: clock["ticks"])
    assert [passes(0.5), passes(3600), passes(0.5, 1.0), passes(0.5, -1.0)] == [None] * 4
    at: datetime = clock["at"]
    assert passes(1, 86_400) == ClockStep(
        at=at + (DAY + timedelta(seconds=1)) / 2, ahead=DAY, within=timedelta(seconds=1)
    )
    at = clock["at"]
    assert passes(2, -86_400) == ClockStep(at=at, ahead=-DAY, within=timedelta(seconds=2))
    assert passes(0.5) is None
