"""Disputes: an employee disputes a score in words, and the scorer or an administrator answers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from router.domain.access import Person, Role
from router.domain.calls.call import Call
from router.domain.calls.scoring import (
    LONGEST_DISPUTE,
    Dispute,
    Score,
    ScoredBy,
    ScoreState,
    Settlement,
    changes_between,
)
from router.domain.text import storable
from router.errors import Conflict, InvalidInput, NotAllowed, NotFound
from router.service.calls.score_answers import check_value
from router.service.calls.score_sheets import Sheet, own_score, sheets_of
from router.service.ports import Session, Store

MOST_LISTED = 200


class ScoreHidden(NotAllowed):
    """This score is hidden until you submit your own, or waive that."""

    def __init__(self, call_id: str) -> None:
        super().__init__()
        self.call_id = call_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredCall:
    """A score, and the call that it is of."""

    sheet: Sheet
    call: Call


async def show_score(store: Store, score_id: str, person: Person) -> ScoredCall:
    """A submitted score: of the employee's own call, or for who scored the call or waived that.
    Raises `NotFound` and `ScoreHidden`.
    """
    async with store.read() as session:
        score = await _submitted(session, score_id)
        if score.employee != person.employee:
            await _check_reader(session, score, person)
        (sheet,) = await sheets_of(session, [score])
        return ScoredCall(sheet=sheet, call=await session.get(Call, score.call_id))


async def own_scores(store: Store, person: Person) -> list[ScoredCall]:
    """The newest scores of this person's own calls."""
    if not person.employee:
        return []
    async with store.read() as session:
        scores = await session.scores.of_employee(person.employee, MOST_LISTED)
        return await _with_calls(session, scores)


async def list_disputes(store: Store, *, settled: bool) -> list[ScoredCall]:
    """Open disputes, the oldest first, or settled ones, the newest first."""
    async with store.read() as session:
        disputes = await session.scores.disputes(MOST_LISTED, settled=settled)
        scores = await session.get_many(Score, [dispute.score_id for dispute in disputes])
        return await _with_calls(session, [scores[dispute.score_id] for dispute in disputes])


async def count_open(store: Store) -> int:
    """How many disputes wait for an answer."""
    async with store.read() as session:
        return await session.scores.count_open()


async def is_own_call(store: Store, call_id: str, person: Person) -> bool:
    """Whether the call is this employee's, and was scored."""
    async with store.read_inline() as session:
        scores = await session.scores.of_call(call_id)
    return any(
        score.employee == person.employee and score.state is ScoreState.SUBMITTED
        for score in scores
    )


async def dispute_score(
    store: Store, score_id: str, text: str, *, person: Person, now: datetime
) -> Dispute:
    """Dispute a score of one's own call, once. Raises `NotFound`, `NotAllowed`, `Conflict` and
    `InvalidInput`.
    """
    dispute = Dispute(score_id=score_id, author=person.login, text=_words(text), at=now)
    async with store.write() as session:
        await session.calls.lock()
        score = await _submitted(session, score_id)
        if score.employee != person.employee:
            raise NotAllowed("Only the employee whose call it is may dispute a score.")
        await session.add(dispute)
    return dispute


async def settle_dispute(
    store: Store,
    score_id: str,
    text: str,
    values: Mapping[str, str],
    *,
    person: Person,
    now: datetime,
) -> Dispute:
    """Answer a dispute: answers that differ from those of the score change it, otherwise it is
    kept. Raises `NotFound`, `NotAllowed`, `Conflict` if it is settled, and `InvalidInput`.
    """
    answer = _words(text)
    async with store.write() as session:
        await session.calls.lock()
        score = await _submitted(session, score_id)
        _check_judge(score, person)
        (sheet,) = await sheets_of(session, [score])
        if sheet.dispute is None:
            raise NotFound("This score is not disputed.")
        if sheet.dispute.settlement is not None:
            raise Conflict("This dispute is settled.")
        changes = changes_between(sheet.values, _checked(sheet, values))
        settlement = Settlement.KEPT
        if changes:
            settlement = Settlement.CHANGED

        settled = replace(
            sheet.dispute,
            settlement=settlement,
            settled_by=person.login,
            settled_at=now,
            answer=answer,
            score_before=score.score,
            changes=changes,
        )
        await session.change(settled)
        if changes:
            await _change_score(session, sheet, values)
    return settled


def may_settle(score: Score, person: Person) -> bool:
    """Its scorer and administrators, but never the employee whose call it is."""
    judges = person.login == score.scorer or person.role is Role.ADMINISTRATOR
    return judges and person.employee != score.employee


async def _change_score(session: Session, sheet: Sheet, values: Mapping[str, str]) -> None:
    score = sheet.score
    for question_id, value in values.items():
        await session.scores.save_answer(score.id, question_id, value=value)
    (changed,) = await sheets_of(session, [score])
    if changed.current is None:
        raise InvalidInput("No question applies: a score needs one that does.")
    await session.change(replace(score, score=changed.current))
    await session.calls.touch(score.call_id)


def _checked(sheet: Sheet, values: Mapping[str, str]) -> Mapping[str, str]:
    for question_id, value in values.items():
        question = sheet.card.question(question_id)
        if question is None or not value:
            raise InvalidInput(f"'{question_id[:40]}' has no question or no answer.")
        check_value(question, value)
    return values


def _check_judge(score: Score, person: Person) -> None:
    if not may_settle(score, person):
        raise NotAllowed("Only its scorer or an administrator may answer a dispute.")


async def _check_reader(session: Session, score: Score, person: Person) -> None:
    if person.role is Role.EMPLOYEE:
        raise NotFound(f"There is no score '{score.id}'.")
    if score.by is ScoredBy.RULE:
        return
    own = await own_score(session, score.call_id, person.login)
    if own is None or own.state is ScoreState.DRAFT:
        raise ScoreHidden(score.call_id)


async def _submitted(session: Session, score_id: str) -> Score:
    score = await session.peek(Score, score_id)
    if score is None or score.state is not ScoreState.SUBMITTED:
        raise NotFound(f"There is no score '{score_id[:40]}'.")
    return score


async def _with_calls(session: Session, scores: list[Score]) -> list[ScoredCall]:
    sheets = await sheets_of(session, scores)
    calls = await session.get_many(Call, {score.call_id for score in scores})
    return [ScoredCall(sheet=sheet, call=calls[sheet.score.call_id]) for sheet in sheets]


def _words(text: str) -> str:
    words = storable(text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if not words:
        raise InvalidInput("A dispute and its answer need words.")
    if len(words) > LONGEST_DISPUTE:
        raise InvalidInput(f"At most {LONGEST_DISPUTE} characters, not {len(words)}.")
    return words
