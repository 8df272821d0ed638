"""Whose call it was: what each kind of evidence does to the verdict, and that a moment is
attributed alike for ever.
"""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.attribution.inference import attribute
from router.domain.attribution.terms import (
    LOOK_BACK,
    CallContext,
    Evidence,
    Verdict,
)
from router.domain.visitors.lease import begin, leave, sign_of_life
from tests.support.builders import DID, NOON, dynamic, later, lease, static
from tests.unit.attribution_moments import (
    MOMENT,
    PHONE,
    POOL,
    before,
    candidate,
    infer,
    left,
    probability,
)


@pytest.mark.parametrize(
    ("at", "verdict"),
    [
        (NOON, Verdict.EXACT),
        (later(300) - MOMENT, Verdict.EXACT),
        (later(300), Verdict.FROZEN),
        (later(600) - MOMENT, Verdict.FROZEN),
        (NOON + LOOK_BACK - MOMENT, Verdict.UNKNOWN),
        (NOON + LOOK_BACK, Verdict.UNKNOWN),
    ],
)
def test_a_call_is_attributed_by_where_it_falls_in_the_lease(
    at: datetime, verdict: Verdict
) -> None:
    result = infer(at, candidate(lease()))
    assert result.verdict is verdict
    assert (result.named and result.named.lease_id) == (
        None if verdict is Verdict.UNKNOWN else "lease-1"
    )


def test_who_left_long_ago_is_named_when_there_is_more_to_say_for_them() -> None:
    told = candidate(left("anna", 0, 60), contacts=True, region="Moscow", tapped_at=later(50))
    result = infer(later(3000), told, caller_region="Moscow")
    assert result.verdict is Verdict.STALE
    assert result.named is not None
    assert set(result.named.evidence) == {
        Evidence.ENDED,
        Evidence.TAPPED,
        Evidence.CONTACTS,
        Evidence.SAME_REGION,
    }


def test_a_number_that_was_never_leased_tells_nothing() -> None:
    result = infer(NOON)
    assert (result.verdict, result.probability, result.candidates) == (Verdict.UNKNOWN, 1.0, ())


def test_a_number_taken_out_since_still_belongs_to_its_last_visitor() -> None:
    assert (
        attribute(CallContext(number=None, at=NOON, candidates=(candidate(lease()),))).verdict
        is Verdict.EXACT
    )
    assert attribute(CallContext(number=None, at=NOON)).verdict is Verdict.UNKNOWN


def test_a_static_number_belongs_to_its_channel_whatever_was_leased() -> None:
    result = infer(NOON, number=static(channel="billboard"))
    assert (result.verdict, result.named, result.channel) == (Verdict.STATIC, None, "billboard")


def test_who_left_their_phone_on_the_page_is_named_even_behind_a_static_number() -> None:
    told = candidate(form=True, source="google")
    result = infer(NOON, told, number=static(channel="billboard"))
    assert result.verdict is Verdict.STATIC
    assert result.named is not None
    assert (result.named.visitor_id, result.source, result.channel) == (
        "anna",
        "google",
        "billboard",
    )


def test_a_tap_just_before_the_call_outweighs_another_visitor_on_the_page() -> None:
    boris = left("boris", 0, 90)
    plain = infer(later(100), candidate(lease()), candidate(boris))
    tapped = infer(later(100), candidate(lease()), candidate(boris, tapped_at=later(88)))
    assert probability(tapped, "boris") > probability(plain, "boris")
    assert probability(infer(later(100), candidate(lease(), tapped_at=later(90)))) > probability(
        infer(later(100), candidate(lease()))
    )


def test_a_tap_after_the_call_says_nothing_of_it() -> None:
    assert infer(later(100), candidate(lease(), tapped_at=later(101))) == infer(
        later(100), candidate(lease())
    )


def test_visitors_about_as_likely_contest_the_call_and_their_source_is_known_all_the_same() -> None:
    at = later(400)
    both = [
        candidate(left(who, 0, gone), source="google")
        for who, gone in (("anna", 250), ("boris", 245))
    ]
    result = attribute(
        CallContext(number=dynamic(), at=at, caller=PHONE, candidates=tuple(both)), certainty=0.6
    )
    assert (result.verdict, result.named, result.source) == (Verdict.CONTESTED, None, "google")
    assert abs(probability(result) - probability(result, "boris")) < 0.2


def test_a_visitor_is_named_at_the_sites_certainty_and_not_below() -> None:
    asked = CallContext(
        number=dynamic(), at=later(500), caller=PHONE, candidates=(candidate(left("anna", 0, 60)),)
    )
    chance = attribute(asked).candidates[0].probability
    assert attribute(asked, certainty=chance).named is not None
    assert attribute(asked, certainty=chance + 0.01).named is None


def test_a_code_settles_it_against_whatever_else_is_known() -> None:
    result = infer(later(100), candidate(lease()), candidate(who="boris", code=True, source="vk"))
    assert result.named is not None
    assert (result.named.visitor_id, result.probability, result.verdict) == (
        "boris",
        1.0,
        Verdict.EXACT,
    )
    assert (result.named.evidence, result.source) == ((Evidence.CODE,), "vk")


def test_a_number_with_many_unattributed_calls_is_trusted_less() -> None:
    asked = CallContext(
        number=dynamic(), at=later(500), caller=PHONE, candidates=(candidate(left("anna", 0, 60)),)
    )
    dirty = replace(asked, number=dynamic(unattributed_calls=60), unattributed_calls=3.0)
    assert attribute(dirty).candidates[0].probability < attribute(asked).candidates[0].probability


def test_holders_too_many_to_weigh_one_by_one_are_not_forgotten() -> None:
    alone = infer(later(900), candidate(left("anna", 0, 60)))
    crowded = infer(later(900), candidate(left("anna", 0, 60)), rest=(0,) * 12 + (50, 100, 200))
    assert probability(crowded) < probability(alone)


LIVES = st.lists(st.tuples(st.floats(0, 4000), st.floats(0, 2000), st.booleans()), max_size=6)


@given(LIVES, st.floats(0, 8000), st.booleans())
def test_probabilities_are_between_0_and_1_and_sum_to_at_most_1(
    lives: list[tuple[float, float, bool]], at: float, known: bool
) -> None:
    told = [
        candidate(left(f"v{i}", begun, begun + stay), contacts=seen, source="a")
        for i, (begun, stay, seen) in enumerate(lives)
    ]
    result = infer(later(at), *told, earlier=(before("v1", sure=0.7),) if known else ())
    assert all(0 <= named.probability <= 1 for named in result.candidates)
    assert sum(named.probability for named in result.candidates) <= 1 + 1e-9
    assert list(result.candidates) == sorted(
        result.candidates, key=lambda named: -named.probability
    )
    assert sum(result.origins.values()) <= 1 + 1e-9


STEPS = st.lists(
    st.tuples(st.integers(1, 900), st.sampled_from(["life", "leave", "call"])), max_size=40
)


@given(STEPS)
def test_a_call_is_attributed_weeks_later_as_it_was_in_its_moment(
    steps: list[tuple[int, str]],
) -> None:
    """Whatever happens to a number after a call, the ledger still gives the probabilities that it
    gave then.
    """
    first = begin(POOL, id="l", number=DID, visitor_id="anna", visit_id="v", now=NOON)
    ledger, now = [first], NOON
    result: list[tuple[datetime, object]] = []

    def found(at: datetime) -> object:
        held = [candidate(lease) for lease in reversed(ledger) if lease.started_at <= at]
        answer = infer(at, *held)
        return answer.verdict, [(named.lease_id, named.probability) for named in answer.candidates]

    for pause, what in steps:
        now += timedelta(seconds=pause)
        if what == "call":
            result.append((now, found(now)))
        elif what == "leave":
            ledger[-1] = leave(ledger[-1], POOL, now)
        elif kept := sign_of_life(ledger[-1], POOL, now):
            ledger[-1] = kept
        else:
            who = f"b{len(ledger)}"
            ledger.append(
                begin(POOL, id=f"l{len(ledger)}", number=DID, visitor_id=who, visit_id="w", now=now)
            )
    assert [(at, found(at)) for at, _ in result] == result
    for held in ledger:
        assert held.started_at <= held.frozen_at <= held.ends_at
