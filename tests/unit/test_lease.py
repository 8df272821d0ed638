"""Leases as intervals, and the verdict they give: at the moment of the call and ever after."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.attribution import LOOK_BACK, Attribution, Candidate, Question, Verdict, attribute
from router.domain.lease import Lease, begin, leave, sign_of_life
from router.domain.site import TrackingNumber
from tests.builders import DID, NOON, dynamic, later, lease, pool, static

POOL = pool(hold_seconds=600, freeze_seconds=300)
MOMENT = timedelta(microseconds=1)


def new(at: datetime = NOON) -> Lease:
    return begin(POOL, id="l", number=DID, visitor_id="anna", visit_id="v", now=at)


def test_a_lease_lasts_for_the_hold_of_which_the_freeze_is_the_end() -> None:
    assert (new().started_at, new().frozen_at, new().ends_at) == (NOON, later(300), later(600))


def test_a_sign_of_life_counts_the_hold_anew() -> None:
    kept = sign_of_life(new(), POOL, later(299))
    assert kept is not None
    assert (kept.started_at, kept.frozen_at, kept.ends_at) == (NOON, later(599), later(899))


@pytest.mark.parametrize("seconds", [300, 599, 600, 10_000])
def test_a_lease_that_is_frozen_or_over_is_never_revived(seconds: float) -> None:
    assert sign_of_life(new(), POOL, later(seconds)) is None


def test_leaving_begins_the_freeze_at_once() -> None:
    left = leave(new(), POOL, later(10))
    assert (left.frozen_at, left.ends_at) == (later(10), later(310))


@pytest.mark.parametrize("seconds", [300, 700])
def test_leaving_late_changes_nothing(seconds: float) -> None:
    assert leave(new(), POOL, later(seconds)) == new()


def judge(number: TrackingNumber | None, held: Lease | None, at: datetime) -> Attribution:
    candidates = (Candidate(lease=held, visitor_id=held.visitor_id, visit_id=held.visit_id),) if held else ()
    return attribute(Question(number=number, at=at, candidates=candidates))


@pytest.mark.parametrize(
    ("at", "verdict"),
    [
        (NOON, Verdict.EXACT),
        (later(300) - MOMENT, Verdict.EXACT),
        (later(300), Verdict.FROZEN),
        (later(600) - MOMENT, Verdict.FROZEN),
        (later(600), Verdict.STALE),
        (later(600) + LOOK_BACK - MOMENT, Verdict.STALE),
        (later(600) + LOOK_BACK, Verdict.UNKNOWN),
    ],
)
def test_a_call_is_judged_by_where_it_falls_in_the_lease(at: datetime, verdict: Verdict) -> None:
    judged = judge(dynamic(), lease(), at)
    assert judged.verdict is verdict
    assert (judged.named and judged.named.lease_id) == (None if verdict is Verdict.UNKNOWN else lease().id)


def test_a_number_that_was_never_leased_tells_nothing() -> None:
    assert judge(dynamic(), None, NOON).verdict is Verdict.UNKNOWN


def test_a_number_taken_out_since_still_belongs_to_its_last_visitor() -> None:
    assert judge(None, lease(), NOON).verdict is Verdict.EXACT
    assert judge(None, None, NOON).verdict is Verdict.UNKNOWN


def test_a_static_number_stands_for_its_channel_whatever_was_leased() -> None:
    judged = judge(static(), lease(), NOON)
    assert (judged.verdict, judged.named) == (Verdict.STATIC, None)


STEPS = st.lists(st.tuples(st.integers(1, 900), st.sampled_from(["life", "leave", "call"])), max_size=40)


@given(STEPS)
def test_a_call_is_judged_weeks_later_as_it_was_in_its_moment(steps: list[tuple[int, str]]) -> None:
    """Whatever happens to a number after a call, the ledger still gives the verdict that it gave then."""
    ledger, now = [new()], NOON
    judged: list[tuple[datetime, str, Verdict]] = []

    def found(at: datetime) -> tuple[str, Verdict]:
        last = [one for one in ledger if one.started_at <= at][-1]
        return last.id, judge(dynamic(), last, at).verdict

    for pause, what in steps:
        now += timedelta(seconds=pause)
        if what == "call":
            judged.append((now, *found(now)))
        elif what == "leave":
            ledger[-1] = leave(ledger[-1], POOL, now)
        elif kept := sign_of_life(ledger[-1], POOL, now):
            ledger[-1] = kept
        else:
            ledger.append(begin(POOL, id=f"l{len(ledger)}", number=DID, visitor_id="b", visit_id="w", now=now))
    assert [(at, *found(at)) for at, _, _ in judged] == judged
    for one in ledger:
        assert one.started_at <= one.frozen_at <= one.ends_at
