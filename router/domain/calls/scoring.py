"""Scores of calls: answers to the questions of a card, and the figure they make."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import combinations

from router.domain.calls.score_card import SKIP, Question

LONGEST_COMMENT = 2000  # characters
LONGEST_DISPUTE = 4000
Values = Mapping[str, str]  # answers by the id of their question; what is not there is unanswered


class ScoredBy(StrEnum):
    """Who scores: a person's score counts before any other."""

    PERSON = "person"
    RULE = "rule"  # of Ringtrace, or a program


class ScoreState(StrEnum):
    """State of a score."""

    DRAFT = "draft"
    SUBMITTED = "submitted"  # it counts, and only a dispute changes it
    WAIVED = "waived"  # this person read the others' scores and can no longer score the call


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to one question."""

    question_id: str
    value: str = ""  # one of `VALUES`; empty: not answered yet
    comment: str = ""
    at_seconds: float | None = None  # a moment of the recording


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A call, scored by one person or rule."""

    id: str
    call_id: str
    card_id: str  # the id of the version
    scorer: str  # login, `api:` and the name of a token, or `rule:` and its id
    by: ScoredBy = ScoredBy.PERSON
    employee: str  # whose call is scored
    state: ScoreState = ScoreState.DRAFT
    score: float | None = None  # 0…100, when submitted
    started_at: datetime
    submitted_at: datetime | None = None


class Settlement(StrEnum):
    """How a dispute was settled."""

    KEPT = "kept"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An answer that a dispute changed."""

    question_id: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """What an employee says against a score, and what was answered."""

    score_id: str
    author: str  # login of the employee
    text: str
    at: datetime
    settlement: Settlement | None = None
    settled_by: str | None = None
    settled_at: datetime | None = None
    answer: str = ""
    score_before: float | None = None
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How often those who scored the same call gave the same answer to one question."""

    question: Question
    pairs: int
    equal: int


def share(value: str) -> float:
    """The part of its weight that an answer earns: 0 is the worst, 1 the best."""
    if value in ("yes", "no"):
        return float(value == "yes")
    return (int(value) - 1) / 4


def total(questions: Sequence[Question], values: Values) -> float | None:
    """The score, 0…100, of the questions that apply; None if no question with a weight does. A
    critical question with the worst answer makes it zero.
    """
    weights = earned = 0.0
    for question in questions:
        value = _applied(values, question)
        if not value:
            continue
        if question.critical and not share(value):
            return 0.0
        weights += question.weight
        earned += question.weight * share(value)
    if not weights:
        return None
    return round(100 * earned / weights, 2)


def unanswered(questions: Sequence[Question], values: Values) -> list[Question]:
    """The questions without an answer; one that does not apply has one."""
    return [question for question in questions if not values.get(question.id)]


def failed(questions: Sequence[Question], values: Values) -> list[Question]:
    """The critical questions that make the score zero."""
    found = []
    for question in questions:
        value = _applied(values, question)
        if question.critical and value and not share(value):
            found.append(question)
    return found


def agreement(questions: Sequence[Question], sheets: Sequence[Values]) -> list[Agreement]:
    """The agreement on each question among all pairs of these scores of one call."""
    pairs = list(combinations(sheets, 2))
    found = []
    for question in questions:
        equal = sum(one.get(question.id) == other.get(question.id) for one, other in pairs)
        found.append(Agreement(question=question, pairs=len(pairs), equal=equal))
    return found


def changes_between(before: Values, after: Values) -> tuple[Change, ...]:
    """The answers that differ."""
    changes = []
    for question_id, value in after.items():
        old = before.get(question_id, "")
        if value != old:
            changes.append(Change(question_id=question_id, before=old, after=value))
    return tuple(changes)


def _applied(values: Values, question: Question) -> str:
    value = values.get(question.id, "")
    if value == SKIP:
        return ""
    return value
