"""Scores with their cards and answers, for whom reads and changes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from router.domain.access import Person
from router.domain.calls.call import Call, State
from router.domain.calls.score_card import CardState, ScoreCard
from router.domain.calls.scoring import Answer, Dispute, Score, ScoreState, total, unanswered
from router.errors import Conflict, NotFound
from router.service.ids import ids_of
from router.service.ports import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A score with its card and answers."""

    score: Score
    card: ScoreCard
    answers: Mapping[str, Answer]  # by the id of their question
    dispute: Dispute | None

    @property
    def values(self) -> dict[str, str]:
        """The answers alone."""
        return {question_id: answer.value for question_id, answer in self.answers.items()}

    @property
    def current(self) -> float | None:
        """The score that the answers so far make."""
        return total(self.card.questions, self.values)

    @property
    def answered(self) -> int:
        """How many questions have an answer."""
        return len(self.card.questions) - len(unanswered(self.card.questions, self.values))


def employee_of(call: Call) -> str:
    """Whose call is scored: who talked last."""
    return call.last_answered_by or call.answered_by or ""


def may_score(call: Call, person: Person) -> bool:
    """Whether this person may score the call: it has ended, and is not their own."""
    employee = employee_of(call)
    return call.state is State.ENDED and bool(employee) and employee != person.employee


async def sheets_of(session: Session, scores: Sequence[Score]) -> list[Sheet]:
    """The scores with cards, answers and disputes."""
    cards = await session.get_many(ScoreCard, {score.card_id for score in scores})
    answers = await session.scores.answers(ids_of(scores))
    disputes = await session.get_many(Dispute, ids_of(scores))
    sheets = []
    for score in scores:
        sheets.append(
            Sheet(
                score=score,
                card=cards[score.card_id],
                answers={answer.question_id: answer for answer in answers.get(score.id, ())},
                dispute=disputes.get(score.id),
            )
        )
    return sheets


async def published_card(session: Session, card_id: str) -> ScoreCard:
    """The published version of this id. Raises `NotFound` and `Conflict`."""
    card = await session.get(ScoreCard, card_id)
    if card.state is not CardState.PUBLISHED:
        raise Conflict("Only a published version scores calls.")
    return card


async def own_score(session: Session, call_id: str, scorer: str) -> Score | None:
    """The score of this person or program."""
    found = await session.find(Score, call_id=call_id, scorer=scorer)
    if not found:
        return None
    return found[0]


async def own_draft(session: Session, call_id: str, login: str) -> Score:
    """The draft of this person. Raises `NotFound`, and `Conflict` if it was submitted."""
    own = await own_score(session, call_id, login)
    if own is None:
        raise NotFound("You have not begun to score this call.")
    if own.state is not ScoreState.DRAFT:
        raise Conflict("This score was submitted: it changes no more.")
    return own
