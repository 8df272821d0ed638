"""Answers to the questions of score cards: saved one by one, counting once they are submitted."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from router.domain.calls.call import Call
from router.domain.calls.review import Review
from router.domain.calls.score_card import VALUES, Question, ScoreCard
from router.domain.calls.scoring import (
    LONGEST_COMMENT,
    Answer,
    Score,
    ScoredBy,
    ScoreState,
    unanswered,
)
from router.domain.calls.tagging import check_moment
from router.domain.ids import new_id
from router.domain.text import storable
from router.errors import InvalidInput, NotFound
from router.service.calls.score_sheets import (
    Sheet,
    employee_of,
    own_draft,
    own_score,
    published_card,
    sheets_of,
)
from router.service.ports import Session, Store


async def answer_question(
    store: Store, call_id: str, question_id: str, value: str, *, login: str
) -> Sheet:
    """Answer one question of one's own draft; an empty value takes the answer back. Raises
    `NotFound`, `Conflict` and `InvalidInput`.
    """
    async with store.write() as session:
        score, question = await _draft_and_question(session, call_id, question_id, login)
        check_value(question, value)
        await session.scores.save_answer(score.id, question_id, value=value)
        return (await sheets_of(session, [score]))[0]


async def comment_question(
    store: Store,
    call_id: str,
    question_id: str,
    text: str,
    *,
    login: str,
    at_seconds: float | None = None,
) -> Sheet:
    """Write a comment on one question of one's own draft, at a moment of the recording. Raises
    `NotFound`, `Conflict` and `InvalidInput`.
    """
    comment = checked_comment(text)
    check_moment(at_seconds)
    async with store.write() as session:
        score, _ = await _draft_and_question(session, call_id, question_id, login)
        moment = None
        if comment:
            moment = at_seconds

        await session.scores.save_answer(score.id, question_id, comment=comment, at_seconds=moment)
        return (await sheets_of(session, [score]))[0]


async def submit_score(store: Store, call_id: str, *, login: str, now: datetime) -> Score:
    """Submit one's own draft: the call is reviewed. Raises `NotFound`, `Conflict`, and
    `InvalidInput` while a question has no answer.
    """
    async with store.write() as session:
        await session.calls.lock()
        score = await own_draft(session, call_id, login)
        (sheet,) = await sheets_of(session, [score])
        return await _submit(session, sheet, now)


async def add_score(
    store: Store,
    call_id: str,
    card_id: str,
    answers: Sequence[Answer],
    *,
    scorer: str,
    now: datetime,
) -> Score:
    """Score a call at once by a rule or a program; it replaces an earlier score of the same
    scorer, and counts until a person scores the call. Raises `NotFound`, `Conflict` and
    `InvalidInput`.
    """
    async with store.write() as session:
        await session.calls.lock()
        call = await session.get(Call, call_id)
        if not employee_of(call):
            raise InvalidInput("No employee answered this call.")
        card = await published_card(session, card_id)
        if earlier := await own_score(session, call_id, scorer):
            await session.remove(Score, earlier.id)
        score = Score(
            id=new_id(now),
            call_id=call_id,
            card_id=card_id,
            scorer=scorer,
            by=ScoredBy.RULE,
            employee=employee_of(call),
            started_at=now,
        )
        await session.add(score)
        for answer in answers:
            await _save_checked(session, score.id, card, answer)
        (sheet,) = await sheets_of(session, [score])
        return await _submit(session, sheet, now)


def check_value(question: Question, value: str) -> None:
    """Raises `InvalidInput` for an answer that the question does not have."""
    if value and value not in VALUES[question.kind]:
        choices = ", ".join(VALUES[question.kind])
        raise InvalidInput(f"'{value[:20]}' is no answer to this question: {choices}")


def checked_comment(text: str) -> str:
    """A comment as it is stored. Raises `InvalidInput`."""
    comment = storable(text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if len(comment) > LONGEST_COMMENT:
        raise InvalidInput(
            f"A comment has at most {LONGEST_COMMENT} characters, not {len(comment)}."
        )
    return comment


async def _submit(session: Session, sheet: Sheet, now: datetime) -> Score:
    if missing := unanswered(sheet.card.questions, sheet.values):
        raise InvalidInput(f"The question '{missing[0].text[:60]}' has no answer.")
    if sheet.current is None:
        raise InvalidInput("No question applies: a score needs one that does.")
    score = replace(sheet.score, state=ScoreState.SUBMITTED, score=sheet.current, submitted_at=now)
    await session.change(score)
    if score.by is ScoredBy.PERSON:
        review = Review(call_id=score.call_id, person=score.scorer, at=now)
        await session.reviews.add([review])
    await session.calls.touch(score.call_id)
    return score


async def _save_checked(session: Session, score_id: str, card: ScoreCard, answer: Answer) -> None:
    question = card.question(answer.question_id)
    if question is None:
        raise InvalidInput(f"The card has no question '{answer.question_id[:40]}'.")
    check_value(question, answer.value)
    check_moment(answer.at_seconds)
    await session.scores.save_answer(
        score_id,
        question.id,
        value=answer.value,
        comment=checked_comment(answer.comment),
        at_seconds=answer.at_seconds,
    )


async def _draft_and_question(
    session: Session, call_id: str, question_id: str, login: str
) -> tuple[Score, Question]:
    await session.calls.lock()
    score = await own_draft(session, call_id, login)
    question = (await session.get(ScoreCard, score.card_id)).question(question_id)
    if question is None:
        raise NotFound(f"The card has no question '{question_id[:40]}'.")
    return score, question
