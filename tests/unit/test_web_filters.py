"""What an address of the calls page asks for, and which live calls belong to it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from starlette.datastructures import QueryParams

from router.domain.attribution.terms import Verdict
from router.domain.calls.call import Ending
from router.web.formats import zone
from router.web.pages.filters import Filters

NOON = datetime(2026, 1, 20, 12, tzinfo=UTC)


def read(query: str) -> Filters:
    return Filters.read(QueryParams(query))


def test_days_are_the_readers_and_the_last_one_is_shown_whole() -> None:
    wanted = read("since=2026-01-20&until=2026-01-20").wanted(ZoneInfo("Europe/Moscow"))
    assert wanted.since == datetime(2026, 1, 19, 21, tzinfo=UTC)
    assert wanted.until == datetime(2026, 1, 20, 21, tzinfo=UTC)


@pytest.mark.parametrize("typed", ["8 (495) 123-45-60", "+7 495 123-45-60", "74951234560"])
def test_a_tracking_number_is_found_in_any_spelling(typed: str) -> None:
    assert Filters(number=typed).wanted(UTC).number == "+74951234560"


@pytest.mark.parametrize(
    "query",
    ["verdict=guess", "ending=", "since=yesterday", "until=0001-01-01", "tag=%20%20", "unheard=of"],
)
def test_what_an_address_says_wrongly_is_left_out(query: str) -> None:
    assert read(query).empty


def test_filters_survive_the_way_into_an_address_and_back() -> None:
    filters = read(
        "verdict=exact&ending=no_answer&tag=к+повтору&text=%26%3D%23&since=2026-01-02&site=shop"
    )
    assert read(filters.address("/calls").partition("?")[2]) == filters
    assert filters.verdict is Verdict.EXACT
    assert filters.ending is Ending.NO_ANSWER


@pytest.mark.parametrize(
    "name", [None, "", "Nowhere/City", "../../etc/passwd", "/etc/passwd", "Europe", "a" * 9999]
)
def test_an_unknown_time_zone_is_utc(name: str | None) -> None:
    assert str(zone(name)) == "UTC"
