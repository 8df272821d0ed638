"""What an address of the list of calls asks for."""

from datetime import UTC, date, datetime
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

import pytest

from router.domain.calls.call_filter import Among, Range
from router.domain.calls.call_query import CallQuery, Period
from router.web.formats import zone

TODAY = date(2026, 1, 20)


def read(query: str) -> CallQuery:
    return CallQuery.read(parse_qsl(query, keep_blank_values=True))


def test_days_are_the_readers_and_the_last_one_is_shown_whole() -> None:
    query = read("since=2026-01-20&until=2026-01-20")
    wanted = query.wanted(ZoneInfo("Europe/Moscow"), TODAY)
    assert wanted.since == datetime(2026, 1, 19, 21, tzinfo=UTC)
    assert wanted.until == datetime(2026, 1, 20, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("period", "since", "until"),
    [
        ("today", 20, 21),
        ("yesterday", 19, 20),
        ("7d", 14, 21),
    ],
)
def test_a_period_moves_with_today(period: str, since: int, until: int) -> None:
    wanted = read(f"period={period}").wanted(UTC, TODAY)
    assert wanted.since == datetime(2026, 1, since, tzinfo=UTC)
    assert wanted.until == datetime(2026, 1, until, tzinfo=UTC)


def test_fixed_days_win_over_a_period() -> None:
    assert read("period=7d&since=2026-01-02") == read("since=2026-01-02")
    assert read("since=2026-01-02").with_period(Period.TODAY) == read("period=today")


@pytest.mark.parametrize("typed", ["8 (495) 123-45-60", "+7 495 123-45-60", "74951234560"])
def test_a_number_is_found_in_any_spelling(typed: str) -> None:
    query = read(urlencode({"number": typed, "caller": typed}))
    assert query.filter.number == query.filter.caller == Among(("+74951234560",))


@pytest.mark.parametrize(
    "query",
    [
        "verdict=guess",
        "ending=",
        "since=yesterday",
        "until=0001-01-01",
        "tag=%20%20",
        "unheard=of",
        "period=always",
        "talk_from=long",
        "talk_to=-1",
        "first=perhaps",
        "wait_from=1:2:3:4",
    ],
)
def test_what_an_address_says_wrongly_is_left_out(query: str) -> None:
    assert read(query).is_empty


def test_characters_that_no_database_takes_are_replaced() -> None:
    wanted = CallQuery.read([("tag", "a\0"), ("text", "\ud800b")]).filter
    assert (wanted.among("tag"), wanted.text) == (Among(("a\ufffd",)), "\ufffdb")


def test_several_values_mean_one_of_them_and_not_means_none_of_them() -> None:
    query = read("ending=busy&ending=no_answer&ending=busy&not_tag=VIP&not_tag=-")
    assert query.filter.ending == Among(("busy", "no_answer"))
    assert query.filter.tag == Among(("vip", ""), excluded=True)


def test_figures_are_seconds_clocks_and_percents() -> None:
    query = read("talk_from=90&wait_to=1:30&probability_from=70&probability_to=95")
    assert query.filter.talk == Range(90, None)
    assert query.filter.wait == Range(None, 90)
    assert query.filter.probability == Range(0.7, 0.95)


@pytest.mark.parametrize(
    "written",
    [
        "text=%26%3D%23&since=2026-01-02&site=shop&verdict=exact&ending=no_answer&tag=к+повтору",
        "period=30d&not_campaign=-&campaign_x=1&employee=olga&first=yes&recorded=no&record=17",
        "destination=office&visitor=v&probability_from=12.5&score_to=80&talk_over_from=3",
    ],
)
def test_a_query_survives_the_way_into_an_address_and_back(written: str) -> None:
    query = read(written)
    assert CallQuery.read(query.pairs()) == query
    assert not query.is_empty


@pytest.mark.parametrize(
    "name", [None, "", "Nowhere/City", "../../etc/passwd", "/etc/passwd", "Europe", "a" * 9999]
)
def test_an_unknown_time_zone_is_utc(name: str | None) -> None:
    assert str(zone(name)) == "UTC"
