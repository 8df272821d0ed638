"""The live board: calls that cannot be true, destinations that are down, endpoints that are."""

from datetime import timedelta

import pytest

from router.asterisk.lines_down import reason_of
from router.asterisk.pjsip import Contact
from router.asterisk.trunks import Side, Trunk, TrunkKind
from router.domain.calls.board import (
    LONGEST_CALL,
    Doubt,
    Down,
    doubt,
    down_destinations,
    longest_wait,
)
from tests.support.builders import NOON, destination, later
from tests.support.web_calls import a_call, ringing


def test_a_call_is_doubted_when_it_is_too_old_or_its_asterisk_is_gone() -> None:
    call = ringing("1", NOON)
    assert doubt(call, NOON + LONGEST_CALL, set()) is None
    assert doubt(call, NOON + LONGEST_CALL + timedelta(seconds=1), set()) is Doubt.TOO_OLD
    assert doubt(call, NOON, {"pbx"}) is Doubt.ASTERISK_GONE
    assert doubt(call, NOON, {"other"}) is None


def test_the_longest_wait_is_that_of_a_call_that_rings() -> None:
    calls = [a_call("1", NOON), ringing("2", later(9)), ringing("3", later(5))]
    found = longest_wait(calls)
    assert found
    assert found.id == calls[2].id
    assert longest_wait(calls[:1]) is None


@pytest.mark.parametrize(
    ("dials", "down"),
    [
        (("PJSIP/one",), Down.ALL),
        (("PJSIP/one&PJSIP/two",), Down.PARTLY),
        (("PJSIP/one", "Local/600@ext-queues"), Down.PARTLY),
        (("PJSIP/74950000000@one",), Down.ALL),
        (("PJSIP/two",), None),
    ],
)
def test_a_destination_is_down_when_all_its_phones_are(
    dials: tuple[str, ...], down: Down | None
) -> None:
    found = down_destinations([destination("office", *dials)], {"one": "unreachable"})
    assert [destination.down for destination in found] == ([down] if down else [])


def contact(state: str) -> Contact:
    return Contact(uri="sip:x", state=state, milliseconds=None)


@pytest.mark.parametrize(
    ("kind", "contacts", "registered", "reason"),
    [
        (TrunkKind.IP, [contact("Avail")], "", None),
        (TrunkKind.IP, [], "", None),
        (TrunkKind.IP, [contact("Unavail")], "", "unreachable"),
        (TrunkKind.IP, [contact("Unavail"), contact("Avail")], "", None),
        (TrunkKind.ACCOUNT, [], "", "no_phone"),
        (TrunkKind.ACCOUNT, [contact("NonQual")], "", None),
        (TrunkKind.REGISTRATION, [contact("Avail")], "Rejected", "not_registered"),
        (TrunkKind.REGISTRATION, [contact("Avail")], "Registered", None),
    ],
)
def test_an_endpoint_is_down_for_a_reason(
    kind: TrunkKind, contacts: list[Contact], registered: str, reason: str | None
) -> None:
    trunk = Trunk(name="office", kind=kind, side=Side.COMPANY, host="192.0.2.1", user="office")
    assert reason_of(trunk, True, {"office": registered}, {"office": contacts}) == reason
    assert reason_of(trunk, False, {}, {}) == "not_loaded"
