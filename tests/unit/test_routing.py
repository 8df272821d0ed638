"""Routes: which destination a DID has, and the one line that the dialplan gets."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.calls.routing import Route, RoutingTable, encode
from router.domain.visitors.site import Step
from router.domain.visitors.visit import spoken_source
from router.errors import InvalidInput
from tests.support.builders import DID, NOON, destination, dynamic, pool, site, static

OFFICE, SALES, NIGHT = destination(), destination("sales"), destination("night")


def table(*numbers: object, **sites: object) -> RoutingTable:
    places = [site(), site("other", destination_id="night", created_at=NOON + timedelta(days=1))]
    return RoutingTable(
        places, [OFFICE, SALES, NIGHT], [pool(), pool("vip", destination_id="sales")], numbers
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "did", ["+74950000001", "74950000001", "84950000001", "4950000001", "0074950000001"]
)
def test_a_number_is_found_under_every_spelling_of_every_carrier(did: str) -> None:
    route = table(dynamic()).find(did)
    assert route is not None
    assert route.number == dynamic()


@pytest.mark.parametrize(
    ("number", "where"),
    [
        (dynamic(), "office"),
        (dynamic(pool_id="vip"), "sales"),
        (static(), "office"),
        (static(destination_id="night"), "night"),
        (static(site_id="other"), "night"),
        (static(destination_id="removed"), "office"),
    ],
)
def test_the_nearest_destination_wins(number: object, where: str) -> None:
    route = table(number).find(number.e164)  # type: ignore[attr-defined]
    assert route is not None
    assert route.destination.id == where


@pytest.mark.parametrize("did", ["+74959999999", "", "anonymous", "1"])
def test_an_unknown_did_goes_to_the_default_line_of_the_first_site(did: str) -> None:
    assert table(dynamic()).find(did) == Route(number=None, destination=OFFICE)
    assert table(dynamic()).number(did) is None


def test_with_nothing_set_up_there_is_no_route() -> None:
    assert RoutingTable((), (), (), ()).find(DID) is None
    assert RoutingTable((), (), (), ()).fallback() == []


@pytest.mark.parametrize(
    ("one", "other"),
    [("+4950000001", "+74950000001"), ("+84950000001", "+74950000001")],
    ids=["German", "Vietnamese"],
)
def test_a_number_whose_digits_are_anothers_spelling_keeps_its_own(one: str, other: str) -> None:
    """With the trunk prefix 8, or without its country, a Russian number has the digits of a foreign
    one.
    """
    for numbers in ((static(one), static(other)), (static(other), static(one))):
        for e164 in (one, other):
            assert table(*numbers).number(e164) == static(e164)
            assert table(*numbers).find(e164) == Route(number=static(e164), destination=OFFICE)


def test_the_answer_names_number_destination_lease_client_and_steps() -> None:
    target = destination(
        "office", "PJSIP/a&PJSIP/b", "PJSIP/+7495@x", send_client_id=True, dtmf_transfer=True
    )
    line = encode(
        Route(number=dynamic(), destination=target), lease_id="l1", client_id="1.2", source="ads"
    )
    assert line == f"{DID}|office|l1|t|1.2||PJSIP/a&PJSIP/b~20^PJSIP/+7495@x~20"


def test_client_and_source_are_sent_only_where_it_was_asked_for() -> None:
    silent = encode(Route(number=None, destination=OFFICE), client_id="1.2", source="ads")
    assert silent == "|office||||" + "|PJSIP/company~20"
    spoken = encode(
        Route(number=None, destination=destination(send_source=True)), client_id="1.2", source="ads"
    )
    assert spoken == "|office||||ads|PJSIP/company~20"


@given(source=st.text(), dials=st.lists(st.text(max_size=20), min_size=1, max_size=8))
def test_nothing_that_was_accepted_adds_a_separator(source: str, dials: list[str]) -> None:
    try:
        steps = tuple(Step(dial=f"PJSIP/{dial}") for dial in dials)
    except InvalidInput:
        steps = OFFICE.steps
    target = destination(steps=steps, send_source=True, send_client_id=True)
    line = encode(
        Route(number=dynamic(), destination=target), lease_id="l", client_id="1.2", source=source
    )
    assert line.count("|") == 6
    assert line.count("^") == len(steps) - 1
    assert line.count("~") == len(steps)
    assert not re.search(r"[\r\n\0$\"{},;]", line)


@given(st.text())
def test_the_source_on_a_telephones_display_is_short_and_harmless(campaign: str) -> None:
    shown = spoken_source(campaign)
    assert len(shown) <= 24
    assert re.fullmatch(r"[\w .()-]*", shown)
    assert shown == shown.strip()


def test_the_fallback_holds_every_spelling_and_the_default() -> None:
    entries = {
        entry.key: entry.route
        for entry in table(dynamic(), static(destination_id="night")).fallback()
    }
    assert entries["84950000001"] == f"{DID}|office|||||PJSIP/company~20"
    assert entries["74950000009"].split("|")[1] == "night"
    assert entries["default"] == "|office|||||PJSIP/company~20"
    assert all(key == "default" or key.isdigit() for key in entries)
