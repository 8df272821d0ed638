"""The arithmetic of score cards."""

from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.calls.score_card import (
    MOST_QUESTIONS,
    SKIP,
    VALUES,
    Question,
    QuestionKind,
    check_complete,
)
from router.domain.calls.scoring import agreement, changes_between, failed, share, total, unanswered
from router.errors import InvalidInput

YES_NO, SCALE = QuestionKind


def question(name: str, weight: int, kind: QuestionKind = YES_NO, **more: bool) -> Question:
    return Question(id=name, text=f"{name}?", kind=kind, weight=weight, **more)


@st.composite
def questions(draw: st.DrawFn) -> list[Question]:
    """A card that can be published."""
    cuts = draw(st.lists(st.integers(1, 99), unique=True, max_size=8))
    edges = [0, *sorted(cuts), 100]
    weights = [end - begin for begin, end in pairwise(edges)]
    weighted = [
        question(
            str(place), weight, draw(st.sampled_from(QuestionKind)), critical=draw(st.booleans())
        )
        for place, weight in enumerate(weights)
    ]
    gates = draw(st.integers(0, 2))
    return [*weighted, *(question(f"gate-{n}", 0, critical=True) for n in range(gates))]


@st.composite
def answered(draw: st.DrawFn) -> tuple[list[Question], dict[str, str]]:
    """A card and answers to some or all of its questions."""
    card = draw(questions())
    values = {question.id: draw(st.sampled_from(("", *VALUES[question.kind]))) for question in card}
    return card, {name: value for name, value in values.items() if value}


def best(question: Question) -> str:
    return "yes" if question.kind is YES_NO else "5"


def worst(question: Question) -> str:
    return "no" if question.kind is YES_NO else "1"


@given(questions())
def test_every_generated_card_is_complete(card: list[Question]) -> None:
    check_complete(card)


@given(answered())
def test_a_score_is_between_0_and_100(both: tuple[list[Question], dict[str, str]]) -> None:
    score = total(*both)
    assert score is None or 0 <= score <= 100


@given(questions())
def test_the_best_answers_score_100_and_the_worst_0(card: list[Question]) -> None:
    assert total(card, {question.id: best(question) for question in card}) == 100
    assert total(card, {question.id: worst(question) for question in card}) == 0


@given(answered())
def test_a_failed_critical_question_makes_the_score_zero(
    both: tuple[list[Question], dict[str, str]],
) -> None:
    card, values = both
    for question in card:
        if question.critical:
            spoilt = values | {question.id: worst(question)}
            assert total(card, spoilt) == 0
            assert question in failed(card, spoilt)
    if not failed(card, values) and total(card, values) == 0:
        applied = [
            question
            for question in card
            if question.weight and values.get(question.id, SKIP) != SKIP
        ]
        assert not any(share(values[question.id]) for question in applied)


@given(answered())
def test_a_skipped_question_counts_as_if_the_card_did_not_have_it(
    both: tuple[list[Question], dict[str, str]],
) -> None:
    card, values = both
    for question in card:
        without = [other for other in card if other is not question]
        assert total(card, values | {question.id: SKIP}) == total(without, values)


@given(answered(), st.data())
def test_a_better_answer_never_lowers_the_score(
    both: tuple[list[Question], dict[str, str]], data: st.DataObject
) -> None:
    card, values = both
    question = data.draw(st.sampled_from(card))
    worse, better = sorted(
        data.draw(st.lists(st.sampled_from(VALUES[question.kind][1:]), min_size=2, max_size=2)),
        key=share,
    )
    low, high = (total(card, values | {question.id: value}) for value in (worse, better))
    assert low is None or high is None or low <= high


@given(questions())
def test_a_card_whose_questions_all_do_not_apply_has_no_score(card: list[Question]) -> None:
    values = {question.id: SKIP for question in card}
    assert total(card, values) is None
    assert unanswered(card, values) == []
    assert unanswered(card, {}) == card


@pytest.mark.parametrize(
    ("values", "score"),
    [
        ({"a": "yes", "b": "3"}, 75.0),
        ({"a": "no", "b": "5"}, 50.0),
        ({"a": "skip", "b": "4"}, 75.0),
        ({"a": "yes", "b": "3", "gate": "no"}, 0.0),
        ({"a": "yes", "b": "3", "gate": "skip"}, 75.0),
        ({"gate": "yes"}, None),
    ],
)
def test_scores_are_the_shares_of_the_weights(values: Mapping[str, str], score: float) -> None:
    card = [question("a", 50), question("b", 50, SCALE), question("gate", 0, critical=True)]
    assert total(card, values) == score


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        ([], "add up to 0"),
        ([question("a", 60), question("b", 60)], "add up to 120"),
        ([question("a", 100), question("b", 0)], "make it critical"),
        ([question("a", 101), question("b", -1)], "0 to 100"),
        ([question("a", 50), question("a", 50)], "the same id"),
        ([question(str(n), 1) for n in range(MOST_QUESTIONS + 1)], "at most"),
    ],
)
def test_an_incomplete_card_is_refused_with_its_fault(card: list[Question], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        check_complete(card)


def test_agreement_counts_each_pair_of_scorers_on_each_question() -> None:
    card = [question("a", 50), question("b", 50, SCALE)]
    sheets = [{"a": "yes", "b": "4"}, {"a": "yes", "b": "5"}, {"a": "skip", "b": "4"}]
    assert [(found.pairs, found.equal) for found in agreement(card, sheets)] == [(3, 1), (3, 1)]
    assert [found.pairs for found in agreement(card, sheets[:1])] == [0, 0]


def test_changes_name_only_what_differs() -> None:
    (change,) = changes_between({"a": "yes", "b": "2"}, {"a": "yes", "b": "3"})
    assert (change.question_id, change.before, change.after) == ("b", "2", "3")
