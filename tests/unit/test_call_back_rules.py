"""Which numbers may be called back, and what the CEL log says of a call back."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from router.asterisk.call_backs import order_line, start_command
from router.config import Settings
from router.domain.calls.call import Direction, Ending, State
from router.domain.calls.call_back import (
    CallBackResult,
    CallBackRules,
    CallBackState,
    Progress,
    progress,
)
from router.domain.calls.folding import fold
from router.domain.calls.ledger import Row
from router.service.calls.call_backs import Order

TOKEN, NOON = "ab" * 16, datetime(2026, 1, 20, 12, tzinfo=UTC)
PHONE, CUSTOMER = "PJSIP/anna-00000001", "PJSIP/carrier-00000002"


@pytest.mark.parametrize(
    ("number", "allowed"),
    [
        ("+79161234567", True),
        ("+74951234567", True),
        ("+78001234567", True),  # free for who calls
        ("+78091234567", False),  # dear
        ("+77011234567", False),  # Kazakhstan has the same country code
        ("+375291234567", False),
        ("+882161234567", False),
        ("+79", False),
        ("", False),
    ],
)
def test_ordinary_numbers_of_the_country_may_be_called(number: str, allowed: bool) -> None:
    assert CallBackRules().allows(number) is allowed


def test_prefixes_allow_other_numbers_too() -> None:
    rules = CallBackRules(prefixes=("+375", "+7809"))
    assert rules.allows("+375291234567")
    assert rules.allows("+78091234567")
    assert rules.allows("+79161234567")
    assert not rules.allows("+491711234567")
    assert CallBackRules(prefixes=("+",)).allows("+491711234567")


def test_settings_that_cannot_be_dialled_are_refused() -> None:
    good = Settings(call_back_line="Local/{digits}@from-internal", call_back_prefixes="+375 +49")
    rules = good.call_back_rules("RU")
    assert rules.line_to("+79161234567", "carrier") == "Local/79161234567@from-internal"
    assert rules.prefixes == ("+375", "+49")
    for bad in ("PJSIP/{nummer}@x", "SIP/{number}", "PJSIP/{number}@x,,S(1)", "{", "Local/{trunk}"):
        with pytest.raises(ValidationError):
            Settings(call_back_line=bad)
    for bad in ("375", "+3x", "7 +"):
        with pytest.raises(ValidationError):
            Settings(call_back_prefixes=bad)
    with pytest.raises(ValidationError):
        Settings(call_back_announcement="a)S(1")


def test_the_console_is_given_a_token_and_nothing_else() -> None:
    assert start_command(TOKEN) == (
        f"channel originate Local/{TOKEN}@ringtrace-call-back extension s@ringtrace-call-customer"
    )
    for bad in ("", "ab", TOKEN + "a", "AB" * 16, "g" * 32, TOKEN[:-1] + "\n"):
        with pytest.raises(AssertionError):
            start_command(bad)


def test_an_order_has_four_parts_whatever_is_in_them() -> None:
    order = Order(phone="PJSIP/a|b", line="PJSIP/1@c\n", number="+7|9", caller_id="\r+7495")
    assert order_line(order) == "PJSIP/ab|PJSIP/1@c|+79|+7495"


def row(event: str, channel: str, seconds: float, extra: str = "", **more: object) -> Row:
    return Row(
        event=event,
        at=NOON + timedelta(seconds=seconds),
        uniqueid=f"rt1-1.{channel[-1]}",
        linkedid="rt1-1.0",
        channel=channel,
        extra={"extra": extra, **more},
    )


RINGS = [
    row("CHAN_START", "Local/t@ringtrace-call-back-0;0", 0),
    row("CHAN_START", "Local/t@ringtrace-call-back-0;9", 0),
    row("RINGTRACE_BACK", "Local/t@ringtrace-call-back-0;9", 0, f"token={TOKEN}"),
    row("CHAN_START", PHONE, 0),
]
CALLS = [
    *RINGS,
    row("ANSWER", PHONE, 5),
    row("CHAN_END", "Local/t@ringtrace-call-back-0;9", 5),
    row("CHAN_END", "Local/t@ringtrace-call-back-0;0", 5),
    row("CHAN_START", CUSTOMER, 5),
    row(
        "RINGTRACE_CALL",
        CUSTOMER,
        5,
        f"token={TOKEN}&did=+74951234567&customer=+79161234567&trunk=carrier&file=rt1-1.2",
    ),
]
TALKS = [
    *CALLS,
    row("ANSWER", CUSTOMER, 12),
    row("BRIDGE_ENTER", CUSTOMER, 12, bridge_id="b"),
    row("BRIDGE_ENTER", PHONE, 12, bridge_id="b"),
]
OVER = [
    row("CHAN_END", CUSTOMER, 42),
    row("CHAN_END", PHONE, 42),
    row("LINKEDID_END", PHONE, 42),
]


def end(status: str, said: str = "") -> list[Row]:
    values = f"token={TOKEN}&status={status}&cause=16&ring=&said={said}"
    return [row("RINGTRACE_END", PHONE, 42, values), *OVER]


def seen(rows: list[Row], *, over: bool = False) -> Progress:
    (found,) = progress(rows, fold(rows), over=over)
    assert found.token == TOKEN
    return found


def test_a_call_back_is_followed_from_the_phone_to_the_end_of_the_talk() -> None:
    assert seen(RINGS).state is CallBackState.RINGING
    assert seen(CALLS).state is CallBackState.CALLING
    assert seen(TALKS).state is CallBackState.TALKING
    last = seen([*TALKS, *end("ANSWER")], over=True)
    assert (last.state, last.result) == (CallBackState.ENDED, CallBackResult.TALKED)
    assert last.made_call_id == "rt1-1.0"


def test_the_call_is_outgoing_and_the_customer_is_its_caller() -> None:
    (call,) = fold([*TALKS, *end("ANSWER")])
    assert (call.direction, call.call_back_id) == (Direction.OUTGOING, TOKEN)
    assert (call.caller_raw, call.did, call.withheld) == ("+79161234567", "+74951234567", False)
    assert (call.state, call.ending, call.answered_by) == (State.ENDED, Ending.ANSWERED, "anna")
    assert (call.wait_seconds, call.talk_seconds) == (7.0, 30.0)
    assert [(leg.role, leg.endpoint) for leg in call.legs] == [
        ("company", "anna"),
        ("caller", "carrier"),
    ]


@pytest.mark.parametrize(
    ("status", "said", "ending", "result", "reason"),
    [
        ("BUSY", "-486", Ending.BUSY, CallBackResult.BUSY, ""),
        ("NOANSWER", "-180", Ending.NO_ANSWER, CallBackResult.NOT_ANSWERED, ""),
        ("CANCEL", "-180", Ending.NO_ANSWER, CallBackResult.HUNG_UP, ""),
        ("CHANUNAVAIL", "-403", Ending.UNREACHABLE, CallBackResult.UNREACHABLE, "403"),
        ("CONGESTION", "-503", Ending.UNREACHABLE, CallBackResult.UNREACHABLE, "503"),
    ],
)
def test_a_customer_who_is_not_reached_has_a_result(
    status: str, said: str, ending: Ending, result: CallBackResult, reason: str
) -> None:
    rows = [*CALLS, *end(status, said)]
    (call,) = fold(rows)
    found = seen(rows, over=True)
    assert (call.ending, found.result, found.reason) == (ending, result, reason)


@pytest.mark.parametrize(
    ("values", "result"),
    [
        ("status=NOANSWER&ring=90&said=-180", CallBackResult.PHONE_NOT_ANSWERED),
        ("status=NOANSWER&ring=&said=-", CallBackResult.PHONE_UNREACHABLE),
        ("status=BUSY&ring=&said=-486", CallBackResult.PHONE_BUSY),
        ("status=CHANUNAVAIL&ring=90&said=-603", CallBackResult.PHONE_DECLINED),
        ("status=CHANUNAVAIL&ring=&said=", CallBackResult.PHONE_UNREACHABLE),
    ],
)
def test_an_own_phone_that_is_not_answered_has_a_result(
    values: str, result: CallBackResult
) -> None:
    rows = [*RINGS, row("RINGTRACE_BACK", PHONE, 25, f"token={TOKEN}&{values}")]
    assert seen(rows).result is result
    assert fold(rows) == ()


def test_who_hangs_up_before_the_customer_is_dialled_has_hung_up() -> None:
    assert seen(RINGS, over=True).result is CallBackResult.HUNG_UP
