"""Scoring calls: begun by a published card, and given up; others' scores are hidden meanwhile."""

from dataclasses import dataclass, replace
from datetime import datetime

from router.domain.access import Person, Role
from router.domain.calls.call import Call
from router.domain.calls.score_card import ScoreCard
from router.domain.calls.scoring import Score, ScoredBy, ScoreState
from router.domain.ids import new_id
from router.errors import Conflict, NotAllowed, NotFound
from router.service.calls.score_cards import cards_for
from router.service.calls.score_sheets import (
    Sheet,
    employee_of,
    may_score,
    own_draft,
    own_score,
    published_card,
    sheets_of,
)
from router.service.ports import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """The scores of a call, as one person may see them."""

    own: Sheet | None
    sheets: tuple[Sheet, ...]  # the submitted ones that are not hidden
    hidden: tuple[str, ...]  # people whose scores are shown once one's own is submitted
    cards: tuple[ScoreCard, ...]  # that this person may score the call by


async def show_scoring(store: Store, call_id: str, person: Person) -> Scoring:
    """The scores of a call. Raises `NotFound`."""
    async with store.read() as session:
        call = await session.get(Call, call_id)
        scores = await session.scores.of_call(call_id)
        own = next((score for score in scores if score.scorer == person.login), None)
        scores_it, cards = may_score(call, person), list[ScoreCard]()
        if own:
            scores_it = own.state is ScoreState.DRAFT
        elif scores_it:
            cards = await cards_for(session, call)

        hidden, shown = list[Score](), list[Score]()
        for score in scores:
            if score.state is not ScoreState.SUBMITTED:
                continue
            if scores_it and score.by is ScoredBy.PERSON:
                hidden.append(score)
            else:
                shown.append(score)

        sheets, own_sheet = await sheets_of(session, shown), None
        if own:
            [own_sheet] = await sheets_of(session, [own])
    return Scoring(
        own=own_sheet,
        sheets=tuple(sheets),
        hidden=tuple(score.scorer for score in hidden),
        cards=tuple(cards),
    )


async def submitted_scores(store: Store, call_id: str) -> list[Sheet]:
    """All submitted scores of a call, for programs. Raises `NotFound`."""
    async with store.read() as session:
        await session.get(Call, call_id)
        scores = await session.scores.of_call(call_id)
        submitted = [score for score in scores if score.state is ScoreState.SUBMITTED]
        return await sheets_of(session, submitted)


async def begin_score(
    store: Store, call_id: str, card_id: str, person: Person, now: datetime
) -> Score:
    """Begin to score a call by a published card; goes on with a score that was begun before.
    Raises `NotFound`, `NotAllowed` for one's own call, `Conflict`, and `InvalidInput`.
    """
    async with store.write() as session:
        await session.calls.lock()
        call = await session.get(Call, call_id)
        own = await own_score(session, call_id, person.login)
        if own is not None:
            if own.state is not ScoreState.DRAFT:
                raise Conflict("You can no longer score this call.")
            return own
        if not may_score(call, person):
            raise NotAllowed("Ended calls that an employee answered are scored, never one's own.")
        await published_card(session, card_id)
        score = Score(
            id=new_id(now),
            call_id=call_id,
            card_id=card_id,
            scorer=person.login,
            employee=employee_of(call),
            started_at=now,
        )
        await session.add(score)
    return score


async def discard_score(store: Store, call_id: str, *, login: str) -> None:
    """Remove one's own draft. Raises `NotFound` and `Conflict`."""
    async with store.write() as session:
        await session.calls.lock()
        await session.remove(Score, (await own_draft(session, call_id, login)).id)


async def waive_score(store: Store, call_id: str, person: Person, now: datetime) -> None:
    """Read the others' scores and score the call no more; a draft is removed. Raises `NotFound`
    if there are none.
    """
    async with store.write() as session:
        await session.calls.lock()
        scores = await session.scores.of_call(call_id)
        submitted = [score for score in scores if score.state is ScoreState.SUBMITTED]
        if not any(score.by is ScoredBy.PERSON for score in submitted):
            raise NotFound("This call has no score by a person.")
        own = next((score for score in scores if score.scorer == person.login), None)
        if own is not None and own.state is not ScoreState.DRAFT:
            return
        if own is not None:
            await session.remove(Score, own.id)
        waived = replace(
            submitted[0],
            id=new_id(now),
            scorer=person.login,
            by=ScoredBy.PERSON,
            state=ScoreState.WAIVED,
            score=None,
            started_at=now,
            submitted_at=None,
        )
        await session.add(waived)


async def remove_score(store: Store, score_id: str, person: Person) -> str:
    """Remove a submitted score, e.g. of the wrong call; returns the id of its call. Raises
    `NotFound`, and `NotAllowed` for who is no administrator.
    """
    if person.role is not Role.ADMINISTRATOR:
        raise NotAllowed("Only an administrator may remove a score.")
    async with store.write() as session:
        await session.calls.lock()
        score = await session.get(Score, score_id)
        await session.remove(Score, score_id)
        await session.calls.touch(score.call_id)
    return score.call_id
