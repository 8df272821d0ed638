"""How many numbers a pool needs, against published tables and against a simulated pool; and what
was held when.
"""

import heapq
import math
import random
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.visitors.erlang import blocking, busiest_load, numbers_for, numbers_needed, plan
from router.domain.visitors.occupancy import Held, Shortage, by_hour_of_day, most_held, shortage
from router.errors import InvalidInput
from tests.support.builders import NOON, later

# Traffic in erlangs that so many lines carry at so much blocking, from the usual printed Erlang B
# tables.
TABLE = [
    (1, 0.01, 0.0101),
    (5, 0.01, 1.36),
    (10, 0.001, 3.09),
    (10, 0.01, 4.46),
    (10, 0.05, 6.22),
    (10, 0.1, 7.51),
    (20, 0.001, 9.41),
    (20, 0.01, 12.0),
    (20, 0.05, 15.2),
    (50, 0.01, 37.9),
    (100, 0.001, 75.2),
    (100, 0.01, 84.1),
    (100, 0.1, 104.1),
]


@pytest.mark.parametrize(("lines", "lost", "erlangs"), TABLE)
def test_blocking_is_that_of_the_printed_tables(lines: int, lost: float, erlangs: float) -> None:
    assert blocking(lines, erlangs) == pytest.approx(lost, rel=0.03)
    assert numbers_for(erlangs * 0.99, lost) == lines


def test_a_formula_for_two_lines_done_by_hand_gives_the_same() -> None:
    assert blocking(2, 3) == pytest.approx((9 / 2) / (1 + 3 + 9 / 2))
    assert blocking(0, 3) == 1
    assert blocking(5, 0) == 0


def test_thousands_of_numbers_neither_overflow_nor_vanish() -> None:
    needed = numbers_needed(5000 / 24, 30 * 86_400, 0.01)
    assert 140_000 < needed < 150_000  # fewer than are offered: one in a hundred goes without
    assert blocking(needed, 150_000) <= 0.01 < blocking(needed - 1, 150_000)


@given(st.floats(0, 500), st.floats(1e-4, 1))
def test_the_number_advised_is_enough_and_one_fewer_is_not(erlangs: float, share: float) -> None:
    numbers = numbers_for(erlangs, share)
    assert blocking(numbers, erlangs) <= share
    assert numbers == 0 or blocking(numbers - 1, erlangs) > share


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: blocking(-1, 1),
        lambda: blocking(1, -1),
        lambda: numbers_for(1, 0),
        lambda: blocking(1, math.nan),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(InvalidInput):
        wrong()


def lost_in_simulation(
    numbers: int, per_hour: float, hold: Callable[[], float], visitors: int
) -> float:
    """The share of visitors who find every number taken; times are seconds."""
    chance, busy, now, lost = random.Random(11), [0.0] * 0, 0.0, 0
    for _ in range(visitors):
        now += chance.expovariate(per_hour / 3600)
        while busy and busy[0] <= now:
            heapq.heappop(busy)
        if len(busy) < numbers:
            heapq.heappush(busy, now + hold())
        else:
            lost += 1
    return lost / visitors


@pytest.mark.parametrize("spread", ["equal", "exponential", "two kinds"])
def test_a_simulated_pool_loses_what_the_formula_says_however_long_each_visitor_stays(
    spread: str,
) -> None:
    chance = random.Random(12)
    holds = {
        "equal": lambda: 1800.0,
        "exponential": lambda: chance.expovariate(1 / 1800),
        "two kinds": lambda: 600.0 if chance.random() < 0.75 else 5400.0,
    }
    lost = lost_in_simulation(14, 20, holds[spread], 100_000)
    assert lost == pytest.approx(blocking(14, 10), abs=0.006)
    assert 0.04 < lost < 0.07  # of what the mean alone would call plenty


def month(rate: Callable[[int, int], float], *, seed: int = 5) -> list[float]:
    """Four weeks of visits by hour, Poisson around `rate(day, hour)`."""
    chance, visits = random.Random(seed), [0.0] * 28 * 24
    for hour in range(len(visits)):
        at = chance.expovariate(max(1e-9, rate(hour // 24, hour % 24)))
        while at < 1:
            visits[hour] += 1
            at += chance.expovariate(rate(hour // 24, hour % 24))
    return visits


def office_hours(day: int, hour: int) -> float:
    return (30.0 if 9 <= hour < 18 else 3.0) * (0.3 if day % 7 > 4 else 1.0)


def test_the_busiest_hour_is_planned_for_and_not_the_mean() -> None:
    load = busiest_load(month(office_hours), 1800)
    assert 15 < load < 19  # 30 visits of half an hour; the mean of all hours would be 6 erlangs


def test_an_accident_of_one_day_is_not_planned_for() -> None:
    visits = month(office_hours)
    calm = busiest_load(visits, 1800)
    visits[10 * 24 + 3] += 2000  # a robot at night
    visits[15 * 24 + 13] += 200  # and one by day
    assert busiest_load(visits, 1800) == pytest.approx(calm, rel=0.15)


def test_days_that_truly_differ_get_more_than_their_mean() -> None:
    steady = busiest_load(month(lambda _, hour: office_hours(0, hour)), 1800)
    uneven = busiest_load(
        month(lambda day, hour: office_hours(0, hour) * (0.4 if day % 2 else 1.6)), 1800
    )
    assert uneven > steady * 1.3


def test_a_hold_of_a_day_is_planned_by_the_days_visits_and_not_by_its_busiest_hour() -> None:
    visits = month(office_hours)
    load = busiest_load(visits, 86_400)
    assert 300 < load < 360  # 9 hours of 30 and 15 of 3; the busiest hour would make 720


def test_history_shorter_than_the_hold_gives_its_mean() -> None:
    assert busiest_load([2.0] * 48, 10 * 86_400) == pytest.approx(480)
    assert busiest_load([], 1800) == 0
    assert busiest_load([7.0], 1800) == pytest.approx(3.5)


def test_a_plan_counts_time_on_the_page_and_freeze_and_who_asks() -> None:
    steady = [60.0] * 28 * 24
    hold = {"page_seconds": 240.0, "silence_seconds": 300, "holds": (1800, 3600)}
    half, whole = plan(steady, shares=(0.01,), **hold)  # type: ignore[arg-type]
    assert half.erlangs == pytest.approx(60 * (240 + 1500) / 3600)
    assert whole.erlangs == pytest.approx(60 * (240 + 3300) / 3600)
    asked, _ = plan(steady, shares=(0.01,), asking=0.22, **hold)  # type: ignore[arg-type]
    assert asked.erlangs == pytest.approx(half.erlangs * 0.22)
    assert asked.numbers[0] < half.numbers[0] / 2


def test_what_the_plan_advises_serves_the_next_month_as_promised() -> None:
    (need,) = plan(
        month(office_hours), page_seconds=180, silence_seconds=300, holds=(1800,), shares=(0.05,)
    )
    lost = lost_in_simulation(need.numbers[0], 30, lambda: 1680.0, 50_000)
    assert 0.01 < lost <= 0.05


# what was held


def held(number: str, since: float, until: float) -> Held:
    return Held(number=number, since=later(since), until=later(until))


def test_each_hour_counts_the_most_numbers_held_at_one_moment() -> None:
    spans = [
        held("a", -600, 600),
        held("a", 600, 1200),
        held("b", 900, 4000),
        held("c", 1200, 1300),
    ]
    hours = most_held(spans, NOON, NOON + timedelta(hours=3))
    assert [hour.most for hour in hours] == [2, 1, 0]
    assert hours[1].hour == later(3600)


def test_a_number_leased_again_during_its_freeze_is_held_once() -> None:
    spans = [held("a", 0, 1800), held("a", 600, 2400), held("a", 700, 900)]
    assert [hour.most for hour in most_held(spans, NOON, later(3600))] == [1]


def test_hours_of_the_day_are_averaged_over_the_days_that_had_them() -> None:
    spans = [held("a", 0, 60), held("b", 0, 60), held("a", 86_400, 86_460)]
    hours = most_held(spans, NOON, NOON + timedelta(days=2))
    by_hour = by_hour_of_day(hours, [hour.hour.hour for hour in hours])
    assert by_hour[12] == (1.5, 2)
    assert by_hour[13] == (0, 0)


@pytest.mark.parametrize(
    ("numbers", "most", "empty", "budget", "found"),
    [
        (0, 0, 0, 0, Shortage.NO_NUMBERS),
        (10, 10, 1, 5, Shortage.RAN_DRY),
        (10, 3, 0, 5, Shortage.BUDGET),
        (10, 9, 0, 0, Shortage.NEARLY),
        (10, 8, 0, 0, None),
    ],
)
def test_a_pool_is_short_when_a_visitor_went_without_or_hardly_any_number_was_idle(
    numbers: int, most: int, empty: int, budget: int, found: Shortage | None
) -> None:
    assert shortage(numbers=numbers, most_held=most, found_empty=empty, over_budget=budget) is found
