"""Whose call it was, where the caller had called before."""

from dataclasses import replace

import pytest

from router.domain.attribution.terms import (
    CandidateFacts,
    Earlier,
    Evidence,
    Verdict,
)
from tests.support.builders import DID, NOON, OTHER_DID, later, lease
from tests.unit.attribution_moments import (
    before,
    candidate,
    infer,
    left,
    probability,
)


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
def test_a_phone_that_others_use_too_belongs_to_the_visitor_who_has_the_number_on_the_page(
    hours: float,
) -> None:
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


def test_a_known_phone_whose_owner_was_never_found_is_a_repeat_of_no_visitor() -> None:
    unknown = Earlier(at=later(-86_400), number=DID)
    result = infer(later(3000), candidate(left("anna", 0, 20)), earlier=(unknown,))
    assert (result.verdict, result.named) == (Verdict.REPEAT, None)


def test_who_calls_again_came_from_where_they_came_first_even_if_no_visitor_could_be_named() -> (
    None
):
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


def test_a_visitor_who_called_from_another_phone_already_is_less_likely_to_call_again() -> None:
    fresh, done = (
        infer(later(500), candidate(left("anna", 0, 60), called=share)) for share in (0.0, 0.95)
    )
    assert probability(done) < probability(fresh) / 2
