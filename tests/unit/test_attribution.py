"""Whose call it was: what each kind of evidence does to the verdict, and that a moment is judged
alike for ever.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.attribution.inference import attribute
from router.domain.attribution.terms import (
    LOOK_BACK,
    Attribution,
    CallContext,
    Candidate,
    CandidateFacts,
    Earlier,
    Evidence,
    Verdict,
)
from router.domain.visitors.lease import Lease, begin, leave, sign_of_life
from router.domain.visitors.site import TrackingNumber
from tests.support.builders import DID, NOON, OTHER_DID, dynamic, later, lease, pool, static

POOL = pool(hold_seconds=600, freeze_seconds=300)
MOMENT = timedelta(microseconds=1)
PHONE = "+79161234567"


def candidate(held: Lease | None = None, who: str = "anna", **fields: Any) -> CandidateFacts:
    if held is not None:
        who = held.visitor_id
    return CandidateFacts(lease=held, visitor_id=who, visit_id=f"{who}-1", **fields)


def left(who: str, begun: float, gone: float) -> Lease:
    """A lease that was begun and left so many seconds after noon."""
    times = {
        "started_at": later(begun),
        "seen_at": later(gone),
        "frozen_at": later(gone),
        "ends_at": later(gone + 300),
    }
    return lease(f"lease-{who}", visitor_id=who, visit_id=f"{who}-1", **times)


def infer(
    at: datetime, *candidates: CandidateFacts, number: TrackingNumber | None = None, **fields: Any
) -> Attribution:
    asked = CallContext(
        number=number or dynamic(), at=at, caller=PHONE, candidates=candidates, **fields
    )
    return attribute(asked)


def probability(result: Attribution, who: str = "anna") -> float:
    return sum(one.probability for one in result.candidates if one.visitor_id == who)


def before(who: str, number: str = DID, sure: float = 1.0, days: float = 3) -> Earlier:
    candidate = Candidate(lease_id=None, visitor_id=who, visit_id=f"{who}-1", probability=sure)
    return Earlier(at=later(-86_400 * days), number=number, candidates=(candidate,))


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
def test_a_call_is_judged_by_where_it_falls_in_the_lease(at: datetime, verdict: Verdict) -> None:
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


def test_a_static_number_stands_for_its_channel_whatever_was_leased() -> None:
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


def test_a_regular_who_saved_the_number_is_not_taken_for_its_holder() -> None:
    known = candidate(who="vera", source="yandex")
    result = infer(later(100), candidate(left("anna", 0, 20)), known, earlier=(before("vera"),))
    assert result.verdict is Verdict.REPEAT
    assert result.named is not None
    assert (result.named.visitor_id, result.named.visit_id, result.source) == (
        "vera",
        "vera-1",
        "yandex",
    )
    assert Evidence.CALLED_BEFORE in result.named.evidence
    assert Evidence.CALLED_OTHERS in result.candidates[-1].evidence or len(result.candidates) == 1


@pytest.mark.parametrize("hours", [0.1, 10])
def test_a_phone_that_others_use_too_is_whoever_has_the_number_on_the_page(hours: float) -> None:
    """An office has one number for all, and who tests a site calls from one phone as one visitor
    after another.
    """
    anna = before("anna", OTHER_DID, days=hours / 24)
    result = infer(
        later(60), candidate(lease(visitor_id="boris")), candidate(who="anna"), earlier=(anna,)
    )
    assert (result.named and result.named.visitor_id, result.verdict) == ("boris", Verdict.EXACT)


def test_source_and_visit_are_of_one_visit_where_the_caller_came_back_by_another_advertisement() -> (  # noqa: E501
    None
):
    origins = (("yandex", "Paid Search", 1.0),)
    first = replace(before("anna"), origins=origins)
    old = CandidateFacts(
        lease=None, visitor_id="anna", visit_id="anna-1", source="yandex", channel="Paid Search"
    )
    new = CandidateFacts(
        lease=lease(visit_id="anna-2"),
        visitor_id="anna",
        visit_id="anna-2",
        source="google",
        channel="Email",
    )
    result = infer(later(60), new, old, earlier=(first,))
    assert result.named is not None
    assert (result.named.visit_id, result.source, result.channel) == ("anna-2", "google", "Email")


def test_a_known_phone_whose_owner_was_never_found_is_a_repeat_of_nobody() -> None:
    unknown = Earlier(at=later(-86_400), number=DID)
    result = infer(later(3000), candidate(left("anna", 0, 20)), earlier=(unknown,))
    assert (result.verdict, result.named) == (Verdict.REPEAT, None)


def test_who_calls_again_came_from_where_they_came_first_even_if_nobody_could_be_named() -> None:
    origins = (("google", "Paid Search", 0.6), ("vk", "Organic Social", 0.3))
    result = infer(
        NOON, candidate(who="anna"), earlier=(replace(before("anna", sure=0.4), origins=origins),)
    )
    again = result.origins["google", "Paid Search"] / 0.6
    assert result.origins["vk", "Organic Social"] == pytest.approx(0.3 * again)
    assert 0.5 < again <= 1.0
    assert probability(result) == pytest.approx(0.4 * again)
    assert result.unknown == pytest.approx(1.0 - 0.9 * again), (
        "whoever was not named may have come from somewhere, too"
    )


def test_a_known_visitor_who_is_on_the_page_again_is_exact() -> None:
    result = infer(
        later(100), candidate(lease()), candidate(who="anna"), earlier=(before("anna", OTHER_DID),)
    )
    assert result.verdict is Verdict.EXACT
    assert probability(result) > 0.95


def test_doubt_about_an_earlier_call_is_doubt_about_the_next() -> None:
    known = candidate(who="vera")
    sure, unsure = (
        infer(later(9000), known, earlier=(before("vera", sure=share),)) for share in (1.0, 0.6)
    )
    assert probability(sure, "vera") > 0.9
    assert probability(unsure, "vera") == pytest.approx(0.6, abs=0.05)


def test_a_code_settles_it_against_whatever_else_is_known() -> None:
    result = infer(later(100), candidate(lease()), candidate(who="boris", code=True, source="vk"))
    assert result.named is not None
    assert (result.named.visitor_id, result.probability, result.verdict) == (
        "boris",
        1.0,
        Verdict.EXACT,
    )
    assert (result.named.evidence, result.source) == ((Evidence.CODE,), "vk")


def test_whoever_called_from_another_phone_already_is_less_likely_to_call_again() -> None:
    fresh, done = (
        infer(later(500), candidate(left("anna", 0, 60), called=share)) for share in (0.0, 0.95)
    )
    assert probability(done) < probability(fresh) / 2


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
    assert all(0 <= one.probability <= 1 for one in result.candidates)
    assert sum(one.probability for one in result.candidates) <= 1 + 1e-9
    assert list(result.candidates) == sorted(result.candidates, key=lambda one: -one.probability)
    assert sum(result.origins.values()) <= 1 + 1e-9


STEPS = st.lists(
    st.tuples(st.integers(1, 900), st.sampled_from(["life", "leave", "call"])), max_size=40
)


@given(STEPS)
def test_a_call_is_judged_weeks_later_as_it_was_in_its_moment(steps: list[tuple[int, str]]) -> None:
    """Whatever happens to a number after a call, the ledger still gives the probabilities that it
    gave then.
    """
    first = begin(POOL, id="l", number=DID, visitor_id="anna", visit_id="v", now=NOON)
    ledger, now = [first], NOON
    result: list[tuple[datetime, object]] = []

    def found(at: datetime) -> object:
        held = [candidate(one) for one in reversed(ledger) if one.started_at <= at]
        answer = infer(at, *held)
        return answer.verdict, [(one.lease_id, one.probability) for one in answer.candidates]

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
    for one in ledger:
        assert one.started_at <= one.frozen_at <= one.ends_at
