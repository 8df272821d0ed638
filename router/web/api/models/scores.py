"""Scores as the API holds them."""

from datetime import date, datetime
from typing import Annotated, Self

from pydantic import Field

from router.domain.calls import scoring as domain
from router.domain.calls.score_card import MOST_QUESTIONS
from router.domain.calls.scoring import LONGEST_COMMENT, LONGEST_DISPUTE, ScoredBy, Settlement
from router.domain.calls.tagging import LONGEST_MOMENT
from router.service.calls.score_figures import CardAgreement, ScoreFigures
from router.service.calls.score_sheets import Sheet
from router.web.api.models.base import Answer, Body, Key


class GivenAnswer(Answer):
    """The answer to one question."""

    question_id: str
    """The question of the card."""

    value: str
    """`yes`, `no`, `1` to `5`, or `skip`: the question does not apply."""

    comment: str
    """What the scorer wrote about it."""

    at_seconds: float | None
    """A moment of the recording, in seconds."""


class Change(Answer):
    """An answer that a dispute changed."""

    question_id: str
    """The question of the card."""

    before: str
    """The answer before."""

    after: str
    """The answer since."""


class Dispute(Answer):
    """What an employee says against a score, and what was answered."""

    author: str
    """The employee's login."""

    text: str
    """What they say."""

    at: datetime
    """When they said it (UTC)."""

    settlement: Settlement | None
    """How it was settled; null: not yet."""

    settled_by: str | None
    """Who settled it."""

    settled_at: datetime | None
    """When (UTC)."""

    answer: str
    """What was answered."""

    score_before: float | None
    """The score before it was settled."""

    changes: tuple[Change, ...]
    """The answers that were changed."""


class Score(Answer):
    """A submitted score of a call."""

    id: str
    """The score's id."""

    call_id: str
    """The call."""

    card_id: str
    """The version of the card."""

    card: str
    """The card's name."""

    scorer: str
    """The login, `api:` and the token's name, or `rule:` and its id."""

    by: ScoredBy
    """A person's score counts before that of a rule or program."""

    employee: str
    """Whose call it is: who talked last."""

    score: float
    """0 to 100."""

    submitted_at: datetime
    """When it was submitted (UTC)."""

    answers: tuple[GivenAnswer, ...]
    """The answers, in the order of the card."""

    dispute: Dispute | None
    """What the employee says against it."""

    @classmethod
    def of_sheet(cls, sheet: Sheet) -> Self:
        """The same from the service's value."""
        names = cls.model_fields.keys() - {"card", "answers", "dispute"}
        known = {name: getattr(sheet.score, name) for name in names}
        given = [sheet.answers.get(question.id) for question in sheet.card.questions]
        answers = [answer for answer in given if answer]
        return cls.of(
            {**known, "card": sheet.card.name, "answers": answers, "dispute": sheet.dispute}
        )


class NewAnswer(Body):
    """The answer to one question."""

    question_id: Key
    """The question of the card."""

    value: Annotated[str, Field(max_length=10)]
    """`yes`, `no`, `1` to `5`, or `skip`: the question does not apply."""

    comment: Annotated[str, Field(max_length=LONGEST_COMMENT)] = ""
    """A comment."""

    at_seconds: Annotated[float | None, Field(ge=0, le=LONGEST_MOMENT)] = None
    """A moment of the recording, in seconds."""


class NewScore(Body):
    """Answers to all questions of a card."""

    card_id: Key
    """A published version of a card."""

    answers: Annotated[tuple[NewAnswer, ...], Field(max_length=MOST_QUESTIONS)]
    """One for each question."""

    def given(self) -> list[domain.Answer]:
        """The same for the service."""
        return [domain.Answer(**answer.fields()) for answer in self.answers]


class NewDispute(Body):
    """What an employee says against a score."""

    employee: Annotated[str, Field(min_length=1, max_length=120)]
    """Whose call it is, as the score names them, e.g. `PJSIP/maria`."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_DISPUTE)]
    """What they say."""


class SettledAnswer(Body):
    """The answer to one question as it shall be."""

    question_id: Key
    """The question of the card."""

    value: Annotated[str, Field(min_length=1, max_length=10)]
    """`yes`, `no`, `1` to `5`, or `skip`: the question does not apply."""


class DisputeAnswer(Body):
    """The answer to a dispute."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_DISPUTE)]
    """What is answered."""

    answers: Annotated[tuple[SettledAnswer, ...], Field(max_length=MOST_QUESTIONS)] = ()
    """Answers that change."""

    def values(self) -> dict[str, str]:
        """The same for the service."""
        return {answer.question_id: answer.value for answer in self.answers}


class Figure(Answer):
    """A mean of scores."""

    score: float
    """The mean, 0 to 100."""

    calls: int
    """Of how many calls."""


class EmployeeFigures(Answer):
    """The scores of an employee's calls."""

    employee: str
    """Who talked last."""

    all: Figure
    """All weeks together."""

    weeks: tuple[Figure | None, ...]
    """Each week; null: no call of it was scored."""


class Averages(Answer):
    """Averages by employee and week of arrival."""

    mondays: tuple[date, ...]
    """The weeks, each by its Monday."""

    employees: tuple[EmployeeFigures, ...]
    """Each employee with a scored call."""

    @classmethod
    def of_figures(cls, figures: ScoreFigures) -> Self:
        """The same from the service's value."""
        return cls.of(figures)


class QuestionAgreement(Answer):
    """The agreement on one question."""

    question_id: str
    """The question of the card."""

    pairs: int
    """Pairs of scores of the same call."""

    equal: int
    """Those with the same answer."""

    differing: tuple[str, ...]
    """Some calls whose answers differ."""


class Agreement(Answer):
    """The agreement of people who scored the same calls by one version of a card."""

    card_id: str
    """The version of the card."""

    card: str
    """The card's name."""

    calls: int
    """Calls that several people scored."""

    questions: tuple[QuestionAgreement, ...]
    """Each question of the card."""

    @classmethod
    def of_card(cls, agreement: CardAgreement) -> Self:
        """The same from the service's value."""
        questions = []
        for found in agreement.questions:
            questions.append(
                {
                    "question_id": found.question.id,
                    "pairs": found.pairs,
                    "equal": found.equal,
                    "differing": found.differing,
                }
            )

        return cls.of(
            {
                "card_id": agreement.card.id,
                "card": agreement.card.name,
                "calls": agreement.calls,
                "questions": questions,
            }
        )
