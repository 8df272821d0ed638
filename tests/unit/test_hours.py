"""Hours of the day: their length over midnight, and clocks that change."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from router.domain.calls.call_order import NEWEST, CallOrder, OrderBy
from router.domain.calls.call_query import CallQuery
from router.domain.calls.hours import Hours, offsets


@pytest.mark.parametrize(
    ("first", "last", "length"), [(9, 18, 9), (22, 6, 8), (0, 24, 24), (5, 5, 24), (0, 1, 1)]
)
def test_hours_may_go_over_midnight(first: int, last: int, length: int) -> None:
    assert Hours(first, last).length == length


def test_a_zone_without_summer_time_has_few_changes() -> None:
    found = offsets(ZoneInfo("Europe/Moscow"))
    assert found[0] == (datetime(2014, 10, 25, 22, tzinfo=UTC), 3 * 3600)
    assert found[1][1] == 4 * 3600


def test_summer_time_begins_and_ends() -> None:
    found = dict(offsets(ZoneInfo("Europe/Berlin")))
    assert found[datetime(2026, 3, 29, 1, tzinfo=UTC)] == 7200
    assert found[datetime(2026, 10, 25, 1, tzinfo=UTC)] == 3600


@pytest.mark.parametrize(
    ("pairs", "hours"),
    [
        ([("hour_from", "9"), ("hour_to", "18")], Hours(9, 18)),
        ([("hour_from", "22")], Hours(22, 24)),
        ([("hour_to", "6")], Hours(0, 6)),
        ([("hour_from", "24")], None),
        ([("hour_from", "-1"), ("hour_to", "5")], None),
        ([("hour_to", "0")], None),
        ([("hour_from", "٣")], None),
    ],
)
def test_an_address_names_hours(pairs: list[tuple[str, str]], hours: Hours | None) -> None:
    query = CallQuery.read(pairs)
    assert query.filter.hours == hours
    assert CallQuery.read(query.pairs()) == query


def test_hours_are_those_of_the_reader() -> None:
    zone = ZoneInfo("Asia/Omsk")
    query = CallQuery.read([("hour_from", "9")])
    wanted = query.wanted(zone, datetime(2026, 1, 1, tzinfo=UTC).date())
    assert wanted.hours == Hours(9, 24, zone)


@pytest.mark.parametrize("text", ["talk", "talk.up", "time.up", "wait"])
def test_an_address_names_an_order(text: str) -> None:
    query = CallQuery.read([("sort", text)])
    assert query.order.written() == text
    assert query.pairs() == [("sort", text)]
    assert query.is_empty


@pytest.mark.parametrize("text", ["", "caller", "talk.down", ".up", "time"])
def test_any_other_order_is_newest_first(text: str) -> None:
    assert CallOrder.read(text) == NEWEST


def test_a_second_press_turns_an_order() -> None:
    talk = NEWEST.turned(OrderBy.TALK)
    assert talk == CallOrder(by=OrderBy.TALK)
    assert talk.turned(OrderBy.TALK) == CallOrder(by=OrderBy.TALK, ascending=True)
    assert NEWEST.turned(OrderBy.TIME) == CallOrder(ascending=True)
