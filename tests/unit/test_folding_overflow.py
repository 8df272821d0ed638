"""Rows fold to one call where a dialplan tries several numbers."""

from dataclasses import replace

import pytest

from router.domain.calls.call import (
    Ending,
    State,
)
from router.domain.calls.folding import fold
from router.domain.calls.ledger import Row
from tests.support.builders import DID, OTHER_DID, answered_call, later, missed_call


def overflow(*, answered: bool) -> list[Row]:
    """Another dialplan dials one number of ours, where the call is not answered, then a second
    one, all under one linkedid.
    """
    first = missed_call(0, did=DID[1:], channel="Local/A@ringtrace-00000000;2")
    second_call = answered_call if answered else missed_call
    second = second_call(
        20, at=later(30), did=OTHER_DID[1:], channel="Local/B@ringtrace-00000001;2", number="+7"
    )
    return [
        *(row for row in first.rows if row.event != "LINKEDID_END"),
        *(replace(row, linkedid=first.linkedid) for row in second.rows),
    ]


def test_a_second_number_that_another_dialplan_tries_is_the_same_call() -> None:
    (call,) = fold(overflow(answered=True))
    assert (call.did, call.number, call.caller_raw) == (DID[1:], DID, "+79161234567")
    assert (call.ending, call.state) == (Ending.ANSWERED, State.ENDED)
    assert call.arrived_at == overflow(answered=True)[0].at
    assert call.answered_at is not None
    assert call.wait_seconds == pytest.approx((call.answered_at - call.arrived_at).total_seconds())
    assert call.talk_seconds == pytest.approx(60, abs=0.1)


def test_an_overflow_that_is_not_answered_ends_as_its_last_number_did() -> None:
    rows = overflow(answered=False)
    (call,) = fold(rows)
    assert (call.did, call.ending) == (DID[1:], Ending.NO_ANSWER)
    assert call.ended_at == rows[-2].at


def test_a_channel_that_enters_our_dialplan_again_is_still_one_call() -> None:
    story = answered_call()
    again = next(row for row in story.rows if row.event == "RINGTRACE_CALL")
    moved = replace(again, at=later(30), extra={"extra": f"did={OTHER_DID[1:]}&trunk=carrier"})
    (call,) = fold([*story.rows[:-4], moved, *story.rows[-4:]])
    assert (call.did, call.arrived_at) == (DID[1:], story.rows[0].at)
