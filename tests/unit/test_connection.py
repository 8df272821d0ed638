"""How fast an health is asked, and how long it is left in peace when it fails."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from router.domain.delivery.connection import (
    FAILURES,
    LONGEST_REST,
    ReceiverHealth,
    failed,
    recovered,
    reserve,
)
from tests.support.builders import NOON, later

NEW = ReceiverHealth(receiver_id="crm", next_at=NOON, paused_until=NOON)


def test_a_burst_goes_at_once_and_the_rest_at_the_accounts_pace() -> None:
    health, waits = NEW, []
    for _ in range(6):
        health, wait = reserve(health, per_second=2, burst=3, now=NOON)
        waits.append(wait.total_seconds())
    assert waits == [0, 0, 0, 0.5, 1.0, 1.5]


def test_after_a_rest_the_burst_is_there_again_and_no_more() -> None:
    health = NEW
    for _ in range(5):
        health, _ = reserve(health, per_second=2, burst=3, now=NOON)
    waits = []
    for _ in range(4):
        health, wait = reserve(health, per_second=2, burst=3, now=later(3600))
        waits.append(wait.total_seconds())
    assert waits == [0, 0, 0, 0.5]


@given(st.lists(st.floats(0, 5), min_size=1, max_size=60), st.integers(1, 20), st.integers(1, 10))
def test_no_second_ever_sees_more_than_burst_and_pace(
    gaps: list[float], per_second: int, burst: int
) -> None:
    health, now, sent = NEW, NOON, []
    for gap in gaps:
        now += timedelta(seconds=gap)
        health, wait = reserve(health, per_second, burst, now)
        sent.append(now + wait)
    for moment in sent:
        within = [at for at in sent if moment <= at < moment + timedelta(seconds=1)]
        assert len(within) <= burst + per_second


def test_who_fails_again_and_again_rests_longer_and_longer_but_never_for_ever() -> None:
    health, now, rests = NEW, NOON, []
    for _ in range(20):
        health = failed(health, "503", now)
        rests.append((health.paused_until - now).total_seconds())
        now = health.paused_until
    assert rests[: FAILURES - 1] == [0] * (FAILURES - 1)
    for n, rest in enumerate(rests[FAILURES - 1 :]):
        assert 0 < rest <= min(10 * 2**n, LONGEST_REST.total_seconds())
    assert recovered(health, now) == ReceiverHealth(
        receiver_id="crm", next_at=NOON, paused_until=now
    )


def test_what_the_receiver_asks_for_is_granted_at_once() -> None:
    assert failed(NEW, "429", NOON, timedelta(seconds=90)).paused_until == later(90)


def test_one_trouble_that_several_met_together_counts_once() -> None:
    once = failed(NEW, "429", NOON, timedelta(seconds=90))
    assert failed(once, "429", later(1), timedelta(seconds=500)) == once
