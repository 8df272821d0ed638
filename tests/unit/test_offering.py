"""Which numbers a visitor may be offered, the codes they read out, and how many of them one address
may be.
"""

import pytest
from starlette.requests import Request

from router.domain.visitors.offering import Place, fitting_pools, static_of, statics_by_channel
from router.domain.visitors.promo_codes import LENGTH, LETTERS, draw_code, read_code
from router.web.rate_limits import Counts, client_key
from router.web.script import configuration
from tests.support.builders import dynamic, pool, site, static

TULA = Place(country="RU", region="Tula Oblast", city="Tula")


@pytest.mark.parametrize(
    ("place", "chosen"),
    [
        (TULA, ["tula"]),
        (Place(country="RU", region="TULA OBLAST"), ["tula"]),
        (Place(country="KZ"), ["everyone"]),
        (Place(), ["everyone"]),
    ],
)
def test_of_rivals_the_pool_for_the_visitors_place_is_chosen(
    place: Place, chosen: list[str]
) -> None:
    own = ("+74950000000",)
    rivals = [pool("tula", replaces=own, regions=("Tula oblast",)), pool("everyone", replaces=own)]
    assert [pool.id for pool in fitting_pools(rivals, place)] == chosen


def test_pools_for_other_numbers_do_not_compete() -> None:
    pools = [
        pool("a", replaces=("+71",)),
        pool("b", replaces=("+72",)),
        pool("c"),
        pool("d", selector=".phone"),
    ]
    assert [pool.id for pool in fitting_pools(pools, TULA)] == ["a", "b", "c", "d"]


MOSCOW = Place(country="RU", region="Moscow")


@pytest.mark.parametrize(
    ("place", "chosen"),
    [(TULA, ["a", "b"]), (Place(), ["a", "b"]), (MOSCOW, ["c"])],
    ids=["elsewhere", "", "here"],
)
def test_one_pool_of_a_region_for_two_numbers_hides_no_pool_elsewhere(
    place: Place, chosen: list[str]
) -> None:
    both = pool("c", replaces=("+71", "+72"), regions=("Moscow",))
    pools = [pool("a", replaces=("+71",)), pool("b", replaces=("+72",)), both]
    assert [pool.id for pool in fitting_pools(pools, place)] == chosen


def test_the_pool_is_chosen_for_each_number_alone() -> None:
    own, other = "+74951234567", "+78001234567"
    both, regional = (
        pool("a", replaces=(own, other)),
        pool("b", replaces=(own,), regions=("Moscow",)),
    )
    assert [pool.id for pool in fitting_pools([both, regional], MOSCOW)] == ["a", "b"]
    told = configuration(site(), [both, regional], "https://calls.example")["pools"]
    assert [pool["id"] for pool in told] == ["b", "a"], (
        "of two that have a number the region's is shown"
    )
    assert [pool.id for pool in fitting_pools([both, regional], TULA)] == ["a"]


def test_chains_of_pools_are_chosen_number_by_number() -> None:
    pools = [
        pool("a", replaces=("+71",)),
        pool("b", replaces=("+72",), selector=".phone"),
        pool("c", replaces=("+71", "+73"), regions=("Tula",)),
        pool("d", selector=".phone", regions=("Moscow",)),
    ]
    assert [pool.id for pool in fitting_pools(pools, TULA)] == ["b", "c"]
    assert [pool.id for pool in fitting_pools(pools, MOSCOW)] == ["a", "b", "d"]


def test_a_pool_for_elsewhere_alone_is_offered_to_no_visitor_here() -> None:
    assert fitting_pools([pool(regions=("Moscow",))], TULA) == []


def test_a_static_number_is_found_by_the_most_exact_name() -> None:
    numbers = [
        static("+71", channel="Yandex"),
        static("+72", channel="yandex / cpc"),
        static("+73", channel="Direct"),
    ]
    statics = statics_by_channel(
        [*numbers, dynamic(), static("+74"), static("+75", channel="yandex")]
    )
    assert static_of(statics, "yandex", "cpc", "Paid Search") == "+72"
    assert static_of(statics, "yandex", "organic", "Organic Search") == "+71"
    assert static_of(statics, "(direct)", "(none)", "Direct") == "+73"
    assert static_of(statics, None, None, None) is None


def test_a_code_is_read_however_it_is_typed() -> None:
    for _ in range(50):
        code = draw_code()
        assert len(code) == LENGTH
        assert set(code) <= set(LETTERS)
        assert read_code(f" {code[:3].lower()} - {code[3:]}. ") == code
    for wrong in ("", "12345", "ACEHKM7", "OOOOOO", "ACEHK0", "\0" * 6, "A" * 10_000):
        assert read_code(wrong) is None


def test_an_address_has_so_many_visits_a_minute_and_then_again() -> None:
    now = [120.0]
    minute = Counts([(2, 60)], lambda: now[0])
    assert [minute.hit("a") for _ in range(3)] == [True, True, False]
    assert minute.hit("b")
    now[0] += 60
    assert minute.hit("a")


def test_a_network_has_as_many_as_a_few_of_its_lines() -> None:
    now = [0.0]
    counts = Counts([(2, 60)], lambda: now[0])
    assert [counts.hit(f"203.0.113.{i}") for i in range(9)] == [True] * 8 + [False]
    assert [counts.hit(f"2001:db8:1:{i:x}00::") for i in range(9)] == [True] * 8 + [False]
    assert [counts.hit(f"2001:db8:2:a{i:x}::") for i in range(5)] == [True] * 4 + [False]
    assert counts.hit("198.51.100.1")


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        (":nonsense", ":nonsense"),
    ],
)
def test_all_addresses_of_one_ipv6_line_count_as_one(host: str, counted: str) -> None:
    assert client_key(Request({"type": "http", "headers": [], "client": (host, 1)})) == counted
