"""What an administrator may set up, and what is refused before it can reach the dialplan."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.names import check_key
from router.domain.visitors.site import NumberKind, Step
from router.errors import InvalidInput
from tests.support.builders import destination, dynamic, pool, site, static, visitor

BAD_KEYS = ["", "-a", "a-", "A", "a_b", "a b", "a\n", "a|b", "a" * 41, "имя", "../x"]


@pytest.mark.parametrize("key", ["a", "1", "main-office-2", "a" * 40, "a--b"])
def test_a_name_of_few_letters_is_taken(key: str) -> None:
    assert check_key("pool", key) == key


@pytest.mark.parametrize("key", BAD_KEYS)
@pytest.mark.parametrize("make", [site, pool, destination])
def test_a_name_that_could_mean_something_elsewhere_is_refused(make: Any, key: str) -> None:
    with pytest.raises(InvalidInput, match="cannot name a"):
        make(key)


@pytest.mark.parametrize(
    "origin", ["https://shop.example", "http://localhost:8000", "https://магазин.рф"]
)
def test_an_origin_is_scheme_and_host(origin: str) -> None:
    assert site(origins=(origin,)).origins == (origin,)


@pytest.mark.parametrize(
    "origin", ["", "*", "null", "shop.example", "https://shop.example/", "ftp://x", "https://"]
)
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(InvalidInput, match="is not an origin"):
        site(origins=(origin,))


@pytest.mark.parametrize(
    "dial",
    [
        "PJSIP/company",
        "PJSIP/+74950000000@carrier",
        "PJSIP/a&PJSIP/b",
        "PJSIP/*21#@x.y",
        "Local/600@ext-queues",
        "Local/s@ivr-1&PJSIP/company",
    ],
)
def test_what_can_be_dialled_is_taken(dial: str) -> None:
    assert Step(dial=dial).dial == dial


@pytest.mark.parametrize(
    "dial",
    [
        "",
        "company",
        "SIP/company",
        "Local/s@ringtrace-from-trunk",
        "Local/s@RingTrace-alone",
        "Local/600",
        "Local/600@ext-queues/n",
        "Local/600@ext queues",
        "Local/600@ext-queues,20",
        "Local/${EXTEN}@ext-queues",
        "Local/600@a@b",
        "local/600@ext-queues",
        "PJSIP/a&",
        "&PJSIP/a",
        "PJSIP/a,30",
        "PJSIP/a|b",
        "PJSIP/a^b",
        "PJSIP/a~b",
        "PJSIP/${EXTEN}",
        "PJSIP/a b",
        "PJSIP/a\n",
        "PJSIP/a@b@c",
        "PJSIP/" + "a" * 65,
        "PJSIP/телефон",
    ],
)
def test_what_the_dialplan_would_cut_or_evaluate_is_refused(dial: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be dialled"):
        Step(dial=dial)


@given(st.text(max_size=40))
def test_no_dial_string_that_is_taken_holds_a_separator(tail: str) -> None:
    try:
        step = Step(dial=f"PJSIP/{tail}")
    except InvalidInput:
        return
    assert not set(step.dial) & set("|^~,;$\"'{}() \r\n\0")


@pytest.mark.parametrize("seconds", [0, -1, 601])
def test_a_step_rings_one_second_to_ten_minutes(seconds: int) -> None:
    with pytest.raises(InvalidInput, match="1 to 600 seconds"):
        Step(dial="PJSIP/a", ring_seconds=seconds)


@pytest.mark.parametrize("count", [0, 9])
def test_a_destination_has_one_to_eight_steps(count: int) -> None:
    with pytest.raises(InvalidInput, match="1 to 8 steps"):
        destination(steps=tuple(Step(dial="PJSIP/a") for _ in range(count)))


def test_only_a_dynamic_number_belongs_to_a_pool() -> None:
    with pytest.raises(InvalidInput, match="belongs to a pool"):
        static(pool_id="main")
    with pytest.raises(InvalidInput, match="belongs to a pool"):
        dynamic(pool_id=None)
    assert dynamic().kind is NumberKind.DYNAMIC


@pytest.mark.parametrize(
    ("hold", "freeze"), [(29, 0), (2_592_001, 0), (600, 600), (600, 601), (600, -1)]
)
def test_the_freeze_is_a_part_of_the_hold(hold: int, freeze: int) -> None:
    with pytest.raises(InvalidInput, match=r"hold|freeze"):
        pool(hold_seconds=hold, freeze_seconds=freeze)


@pytest.mark.parametrize("client_id", ["GA1.2.1234567890.1700000000", "a_b-c", "1"])
def test_a_client_id_of_an_analytics_system_is_taken(client_id: str) -> None:
    assert visitor(ga_client_id=client_id).ga_client_id == client_id


@pytest.mark.parametrize("client_id", ["", "a b", "a\r\nX-Evil: 1", "a|b", "x" * 65, "é", "1\n"])
@pytest.mark.parametrize("name", ["ga_client_id", "ga_session_id", "ym_client_id"])
def test_a_client_id_that_could_leave_a_sip_header_is_refused(name: str, client_id: str) -> None:
    with pytest.raises(InvalidInput, match=name):
        visitor(**{name: client_id})
