"""A delivery's life: tried again with growing pauses, given up at its deadline, sent again by
hand.
"""

from datetime import datetime, timedelta

import pytest

from router.domain.delivery.delivery import (
    DEADLINE,
    LONGEST_PAUSE,
    Delivery,
    DeliveryKind,
    DeliveryState,
    fail,
    new_delivery,
    resend,
    succeed,
)
from router.domain.delivery.outcome import Outcome
from tests.support.builders import NOON, later, webhook


def new(now: datetime = NOON) -> Delivery:
    return new_delivery(
        webhook(), DeliveryKind.CALL_ENDED, "rt1-1.0", {"call": {"id": "rt1-1.0"}}, id="d", now=now
    )


def test_a_new_delivery_is_due_at_once_and_carries_its_key_and_schema() -> None:
    assert (new().due_at, new().state, new().key) == (
        NOON,
        DeliveryState.PENDING,
        "call.ended:rt1-1.0",
    )
    assert new().payload == {
        "schema": 1,
        "event": "call.ended",
        "key": "call.ended:rt1-1.0",
        "created_at": "2026-11-22T12:00:00+00:00",
        "call": {"id": "rt1-1.0"},
    }


def test_a_receipt_ends_it() -> None:
    done = succeed(
        fail(new(), Outcome.text("500"), NOON), Outcome.text("200 " + "x" * 9999), later(5)
    )
    assert (done.state, done.attempts, done.done_at, done.last_error) == (
        DeliveryState.DONE,
        2,
        later(5),
        None,
    )
    assert len(str(done.receipt)) == 500


def test_pauses_double_up_to_an_hour_and_are_never_the_same_for_all() -> None:
    delivery, pauses = new(), []
    for _ in range(20):
        delivery = fail(delivery, Outcome.text("500"), NOON)
        pauses.append((delivery.due_at - NOON).total_seconds())
    for attempt, pause in enumerate(pauses):
        longest = min(2.0 * 2**attempt, LONGEST_PAUSE.total_seconds())
        assert 0 <= pause <= longest
    assert len(set(pauses[-5:])) > 1


def test_it_is_tried_for_three_days_and_then_given_up() -> None:
    delivery, now = new(), NOON
    while delivery.state is DeliveryState.PENDING:
        now = delivery.due_at
        delivery = fail(delivery, Outcome.text("500"), now)
    assert delivery.state is DeliveryState.FAILED
    assert NOON + DEADLINE - LONGEST_PAUSE <= now < NOON + DEADLINE


def test_many_failures_never_overflow_the_pause() -> None:
    delivery = new()
    for _ in range(2000):
        delivery = fail(delivery, Outcome.text("x" * 9999), NOON)
    assert delivery.due_at <= NOON + LONGEST_PAUSE
    assert len(str(delivery.last_error)) == 500


def test_a_final_refusal_is_given_up_at_once() -> None:
    assert fail(new(), Outcome.text("410"), NOON, final=True).state is DeliveryState.FAILED


@pytest.mark.parametrize(
    "ended", [fail(new(), Outcome.text("410"), NOON, final=True), succeed(new(), "200", NOON)]
)
def test_sent_again_by_hand_it_has_its_key_and_a_new_deadline(ended: Delivery) -> None:
    week = NOON + timedelta(days=7)
    again = resend(ended, week)
    assert (again.state, again.key, again.due_at, again.deadline_at) == (
        DeliveryState.PENDING,
        ended.key,
        week,
        week + DEADLINE,
    )
    assert fail(again, Outcome.text("500"), week).state is DeliveryState.PENDING
