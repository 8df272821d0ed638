"""What a service made of one record of many, and when what it could not use yet is sent again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from router.domain.delivery.analytics_codes import GoogleAdsCode
from router.domain.delivery.delivery import (
    LONGEST_REPEAT,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Result,
    Use,
    new_delivery,
    settle,
)
from router.domain.delivery.limits import hopeless
from router.domain.delivery.outcome import Outcome, at_place, record_of, request_of
from router.receivers.registry import KINDS, RECEIVER_KINDS
from tests.support.builders import NOON, later, webhook
from tests.support.crm_calls import connection

REQUEST = Outcome.of(GoogleAdsCode.GOOGLE_REQUEST, request="r", count=3)
WAITS = Outcome.of(GoogleAdsCode.GOOGLE_LATER, detail="TOO_RECENT_CLICK")
CUT_OFF = NOON + KINDS["google-ads"].cut_off


def accepted() -> Delivery:
    made = new_delivery(webhook(), DeliveryKind.CALL_ENDED, "c", {}, id="d", now=NOON)
    return replace(made, receipt=at_place(REQUEST, 2), deadline_at=CUT_OFF, attempts=9)


@pytest.mark.parametrize(
    ("use", "state"),
    [
        (Use.USED, DeliveryState.DONE),
        (Use.COUNTED_BEFORE, DeliveryState.DONE),
        (Use.LATER, DeliveryState.PENDING),
        (Use.NEVER, DeliveryState.FAILED),
    ],
)
def test_each_outcome_ends_in_its_state(use: Use, state: DeliveryState) -> None:
    outcome = Outcome.text("in words")
    settled = settle(accepted(), Result(use=use, outcome=outcome), later(1800))
    assert settled.state is state
    assert outcome in (settled.receipt, settled.last_error)


def test_what_can_be_used_later_is_sent_again_with_growing_pauses_until_the_cut_off() -> None:
    later_use = Result(use=Use.LATER, outcome=WAITS)
    delivery, pauses, now = accepted(), list[timedelta](), later(1800)
    while delivery.state is DeliveryState.PENDING:
        delivery = settle(replace(delivery, receipt=REQUEST), later_use, now)
        pauses.append(delivery.due_at - now)
        now = delivery.due_at
    assert delivery.receipt is None
    assert pauses[0] == timedelta(hours=1)
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_REPEAT
    assert now >= CUT_OFF
    assert delivery.last_error == WAITS


@pytest.mark.parametrize(
    ("receipt", "common", "record"),
    [
        (None, None, None),
        (REQUEST, REQUEST, None),
        (at_place(REQUEST, 7), REQUEST, 7),
        (Outcome.text("request r; record 2"), Outcome.text("request r; record 2"), None),
    ],
)
def test_a_receipt_tells_its_request_and_its_place_in_it(
    receipt: Outcome | None, common: Outcome | None, record: int | None
) -> None:
    assert request_of(receipt) == common
    assert record_of(receipt) == record


@pytest.mark.parametrize(
    ("kind", "words"),
    [("metrica", "metrica takes this until"), ("tryton", "Ringtrace tried until")],
)
def test_what_is_too_late_says_whose_limit_is_over(kind: str, words: str) -> None:
    late = replace(accepted(), receipt=None, deadline_at=later(60))
    said = hopeless(late, connection(kind), RECEIVER_KINDS, later(60))
    assert str(said).startswith(f"too late: {words}")
