"""Messages of the manager interface become typed events, or nothing."""

import pytest
from panoramisk.message import Message

from router.asterisk.ami import Event, HoldChanged, RouteAsked, parse_event

ASKED = (
    "Event: UserEvent\r\nChannel: PJSIP/a-1\r\nUniqueid: rt1-1.0\r\nUserEvent: "
    "RingtraceRoute\r\nDID: 7495"
)


def parse(text: str) -> Event | None:
    message = Message.from_line(text)
    return parse_event(message) if message else None


def test_the_dialplans_question_is_read() -> None:
    assert parse(ASKED) == RouteAsked(
        uniqueid="rt1-1.0", channel="PJSIP/a-1", did="7495", linkedid="rt1-1.0"
    )


def test_the_call_and_its_caller_are_read_with_the_question() -> None:
    asked = parse(f"{ASKED}\r\nLinkedid: rt1-0.9\r\nCallerIDNum: +7916\r\nCallerIDName: A\0nna")
    assert isinstance(asked, RouteAsked)
    assert (asked.linkedid, asked.caller_number, asked.caller_name) == (
        "rt1-0.9",
        "+7916",
        "A\ufffdnna",
    )


@pytest.mark.parametrize(
    "forged", ["DID: 666", "Channel: PJSIP/b-2", "Uniqueid: rt1-9.9", "DID: 1\r\nDID: 2"]
)
def test_a_second_header_of_the_same_name_changes_nothing(forged: str) -> None:
    assert parse(f"{ASKED}\r\n{forged}") == parse(ASKED)


@pytest.mark.parametrize(("name", "held"), [("Hold", True), ("Unhold", False)])
def test_hold_is_read_with_its_call(name: str, held: bool) -> None:
    told = f"Event: {name}\r\nChannel: PJSIP/a-1\r\nUniqueid: rt1-1.1\r\nLinkedid: rt1-1.0"
    assert parse(told) == HoldChanged(linkedid="rt1-1.0", channel="PJSIP/a-1", held=held)


@pytest.mark.parametrize(
    "text",
    [
        "Event: UserEvent\r\nUserEvent: SomebodyElses\r\nDID: 7495",
        "Event: FullyBooted",
        "Response: Success\r\nUserEvent: RingtraceRoute",
        "rubbish",
        "",
    ],
)
def test_what_says_nothing_to_us_is_nothing(text: str) -> None:
    assert parse(text) is None


def test_missing_headers_are_empty_and_long_ones_cut() -> None:
    assert parse("Event: UserEvent\r\nUserEvent: RingtraceRoute") == RouteAsked(
        uniqueid="", channel="", did="", linkedid=""
    )
    long = parse(ASKED.replace("7495", "7" * 5000))
    assert isinstance(long, RouteAsked)
    assert len(long.did) == 200
