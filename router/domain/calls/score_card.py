"""Score cards: the questions that people score calls by. A published version never changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from router.errors import InvalidInput

MOST_QUESTIONS = 30
LONGEST_QUESTION = 300  # characters
LONGEST_HINT = 1000
LONGEST_NAME = 80
WHOLE = 100  # sum of the weights


class QuestionKind(StrEnum):
    """How a question is answered."""

    YES_NO = "yes_no"
    SCALE = "scale"  # 1 to 5


class CardState(StrEnum):
    """State of a version: only drafts change, and only published versions score calls."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


SKIP = "skip"  # the question does not apply to the call
VALUES = {  # possible answers, each at the place of its key
    QuestionKind.YES_NO: (SKIP, "yes", "no"),
    QuestionKind.SCALE: (SKIP, "1", "2", "3", "4", "5"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question of a card."""

    id: str  # the same in all versions of a card
    text: str
    hint: str = ""
    kind: QuestionKind = QuestionKind.YES_NO
    weight: int = 0
    critical: bool = False  # the worst answer makes the whole score zero


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreCard:
    """One version of a card."""

    id: str
    card_id: str  # the id of its first version
    version: int
    name: str
    query: str = ""  # the calls it is for, as an address says them, without times
    questions: tuple[Question, ...] = ()
    state: CardState = CardState.DRAFT
    author: str  # login, or `api:` and the name of a token
    created_at: datetime
    edited_at: datetime
    published_at: datetime | None = None
    archived_at: datetime | None = None

    def question(self, question_id: str) -> Question | None:
        """The question of this id."""
        return next((question for question in self.questions if question.id == question_id), None)


def check_bounds(questions: Sequence[Question]) -> None:
    """What drafts fulfil, too. Raises `InvalidInput`."""
    if len(questions) > MOST_QUESTIONS:
        raise InvalidInput(f"A card has at most {MOST_QUESTIONS} questions, not {len(questions)}.")
    if len({question.id for question in questions}) < len(questions):
        raise InvalidInput("Two questions have the same id.")
    for question in questions:
        if not 0 <= question.weight <= WHOLE:
            raise InvalidInput(f"A weight is 0 to {WHOLE}, not {question.weight}.")


def check_complete(questions: Sequence[Question]) -> None:
    """What a card fulfils before it is published. Raises `InvalidInput`."""
    check_bounds(questions)
    weights = sum(question.weight for question in questions)
    if weights != WHOLE:
        raise InvalidInput(f"The weights add up to {weights}: they must add up to {WHOLE}.")
    for question in questions:
        if not question.weight and not question.critical:
            short = question.text[:60]
            raise InvalidInput(f"Give the question '{short}' a weight, or make it critical.")
