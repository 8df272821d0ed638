"""Samples of calls are fair, and the same by their seed."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from router.domain.calls.sampling import Draw, Drawable, Drawn, monday

MONDAY = datetime(2026, 1, 19, 12, tzinfo=UTC)


def calls(count: int, *, employees: int = 3, days: int = 14) -> list[Drawable]:
    return [
        Drawable(
            call_id=f"rt1-{n}.0",
            arrived_at=MONDAY + timedelta(days=n % days),
            employee=f"PJSIP/{n % employees}",
        )
        for n in range(count)
    ]


def drawn(found: list[Drawable], seed: str = "s", per_employee: int = 4) -> list[Drawn]:
    draw = Draw(seed=seed, per_employee=per_employee, zone=UTC)
    for call in found:
        draw.consider(call)
    return draw.chosen()


def test_each_employee_has_as_many_calls_in_each_week_as_wanted_or_all_there_are() -> None:
    chosen = drawn(calls(400))
    assert Counter((call.week, call.employee) for call in chosen) == {
        (date(2026, 1, 19) + timedelta(days=7 * week), f"PJSIP/{n}"): 4
        for week in range(2)
        for n in range(3)
    }
    assert len({call.call_id for call in chosen}) == len(chosen)
    few = calls(5)
    assert {call.call_id for call in drawn(few)} == {call.call_id for call in few}


@given(order=st.permutations(calls(60)), seed=st.text(max_size=5))
def test_the_same_seed_chooses_the_same_calls_in_whatever_order_they_are_read(
    order: list[Drawable], seed: str
) -> None:
    assert drawn(order, seed) == drawn(calls(60), seed)


def test_another_seed_chooses_other_calls_and_every_call_has_its_chance() -> None:
    counts = Counter(
        call.call_id
        for seed in range(400)
        for call in drawn(calls(20, employees=1, days=1), str(seed), per_employee=5)
    )
    # each is expected 100 times with a deviation of 9
    assert len(counts) == 20
    assert all(55 < count < 145 for count in counts.values())


def test_a_week_is_that_of_the_readers_zone() -> None:
    late = Drawable(call_id="1", arrived_at=datetime(2026, 1, 25, 21, 30, tzinfo=UTC), employee="a")
    weeks = []
    for zone in (UTC, ZoneInfo("Europe/Moscow")):
        draw = Draw(seed="s", per_employee=1, zone=zone)
        draw.consider(late)
        weeks += [call.week for call in draw.chosen()]
    assert weeks == [date(2026, 1, 19), date(2026, 1, 26)]
    assert monday(date(2026, 1, 25)) == date(2026, 1, 19)
