"""What a stranger can do to the attribution of another person's call: forged forms, and a forged
caller ID.
"""

from dataclasses import replace

import pytest

from router.domain.attribution.terms import Candidate, CandidateFacts, Earlier, Verdict
from tests.support.builders import DID, OTHER_DID, later, lease, static
from tests.unit.attribution_moments import before, candidate, infer, left, probability

HONEST = candidate(lease(), source="google")
EVIL = candidate(who="evil", source="evil", form=True)


@pytest.mark.parametrize("age", [5, 30, 100, 250])
@pytest.mark.parametrize("forms", [1, 3])
def test_forged_forms_never_overturn_the_visitor_on_the_page(age: float, forms: int) -> None:
    forged = [replace(EVIL, visitor_id=f"evil{i}", visit_id=f"evil{i}-1") for i in range(forms)]
    result = infer(later(age), HONEST, *forged)
    assert (result.named and result.named.visitor_id, result.source, result.verdict) == (
        "anna",
        "google",
        Verdict.EXACT,
    )
    assert probability(result) > 0.9


def test_a_forger_who_held_the_number_before_does_not_overturn_the_visitor_on_the_page() -> None:
    forger = replace(EVIL, lease=left("evil", -400, -200))
    result = infer(later(60), HONEST, forger)
    assert result.named is not None
    assert result.named.visitor_id == "anna"


def test_a_forged_form_takes_no_calls_of_a_phone_that_is_known_by_its_calls() -> None:
    regular = candidate(who="vera", source="yandex")
    result = infer(later(9000), regular, EVIL, earlier=(before("vera", sure=0.94),))
    assert probability(result, "vera") > 0.85
    assert probability(result, "evil") < 0.1


@pytest.mark.parametrize("days", [1.5, 2, 5, 20])
@pytest.mark.parametrize("age", [30, 100, 250])
def test_one_call_with_a_forged_caller_id_does_not_overturn_the_visitor_on_the_page(
    days: float, age: float
) -> None:
    spoofed = before("evil", DID, sure=0.945, days=days)
    result = infer(later(age), HONEST, candidate(who="evil", source="evil"), earlier=(spoofed,))
    assert result.named is not None
    assert (result.named.visitor_id, result.source) == ("anna", "google")


def test_a_regular_who_called_twice_is_who_calls_again() -> None:
    calls = (before("vera", days=3), before("vera", days=9))
    result = infer(later(100), HONEST, candidate(who="vera"), earlier=calls)
    assert result.named is not None
    assert result.named.visitor_id == "vera"


def test_a_forged_caller_id_on_another_number_does_next_to_nothing() -> None:
    spoofed = before("evil", OTHER_DID, sure=0.945, days=0.01)
    result = infer(later(60), HONEST, candidate(who="evil"), earlier=(spoofed,))
    assert probability(result) > 0.9


def test_an_honest_form_still_names_who_is_on_no_page() -> None:
    """A visitor left their phone and calls an hour later, when their number is another visitor's,
    who has left.
    """
    anna = candidate(left("anna", 0, 60), form=True, source="google")
    boris = candidate(left("boris", 1000, 1060), source="vk")
    result = infer(later(3600), boris, anna)
    assert result.named is not None
    assert result.named.visitor_id == "anna"


def test_an_honest_form_confirms_the_visitor_whose_phone_called_before_as_an_unknown_person() -> (
    None
):
    unknown = Earlier(at=later(-86_400), number=DID)
    result = infer(later(3000), candidate(left("anna", 0, 20), form=True), earlier=(unknown,))
    assert probability(result) > 0.8


def test_a_form_names_the_visitor_behind_a_static_number_with_doubt() -> None:
    result = infer(later(10), EVIL, number=static(channel="billboard"))
    assert result.named is not None
    assert (result.verdict, result.channel) == (Verdict.STATIC, "billboard")
    assert probability(result, "evil") < 0.9


def test_probabilities_sum_to_one_whatever_forms_and_calls_say() -> None:
    candidates = tuple(
        Candidate(lease_id=None, visitor_id=v, visit_id=f"{v}-1", probability=0.5)
        for v in ("evil", "anna")
    )
    earlier = Earlier(at=later(-900), number=DID, candidates=candidates)
    others = [
        CandidateFacts(lease=None, visitor_id=v, visit_id=f"{v}-1", form=True)
        for v in ("evil", "anna", "vera")
    ]
    result = infer(later(60), HONEST, *others, earlier=(earlier,))
    assert sum(candidate.probability for candidate in result.candidates) <= 1 + 1e-9
