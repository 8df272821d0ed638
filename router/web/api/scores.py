"""Scores of calls: programs read them all, and score calls as rules do."""

from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Query

from router.domain.access import Person, Role, Scope, Token
from router.domain.calls.sampling import MOST_WEEKS
from router.errors import Conflict, InvalidInput, NotAllowed, NotFound
from router.service.calls import disputes, score_answers, score_figures, scoring
from router.web.api.calls import CallId
from router.web.api.models.scores import (
    Agreement,
    Averages,
    Dispute,
    DisputeAnswer,
    NewDispute,
    NewScore,
    Score,
)
from router.web.deps import NotLoggedIn, Now, StoreOf, needs
from router.web.error_handlers import answers

router = APIRouter(tags=["scores"], responses=answers(NotFound, Conflict, NotLoggedIn, NotAllowed))
READ = [Depends(needs(Scope.CALLS_READ))]
ScoreId = Annotated[str, Path(description="The score's id.")]
Writer = Annotated[Token, Depends(needs(Scope.CALLS_WRITE))]


async def asked(
    now: Now,
    last: Annotated[date | None, Query(description="A day of the last week; now.")] = None,
    weeks: Annotated[int, Query(ge=1, le=MOST_WEEKS, description="How many weeks.")] = 4,
    zone: Annotated[str, Query(max_length=64, description="Time zone of the weeks.")] = "UTC",
) -> dict[str, Any]:
    """The weeks that figures are of."""
    try:
        place = ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidInput(f"There is no time zone '{zone}'.") from error
    return {"last": last or now.astimezone(place).date(), "weeks": weeks, "zone": place}


Asked = Annotated[dict[str, Any], Depends(asked)]


@router.get("/calls/{call_id}/scores", dependencies=READ)
async def list_scores(store: StoreOf, call_id: CallId) -> list[Score]:
    """The submitted scores of a call."""
    return [Score.of_sheet(sheet) for sheet in await scoring.submitted_scores(store, call_id)]


@router.post("/calls/{call_id}/scores", status_code=201)
async def add_score(
    store: StoreOf, now: Now, token: Writer, call_id: CallId, new: NewScore
) -> Score:
    """Score a call by all questions of a card. It replaces this token's earlier score, and counts
    until a person scores the call.
    """
    scorer = f"api:{token.name}"[:70]
    score = await score_answers.add_score(
        store, call_id, new.card_id, new.given(), scorer=scorer, now=now
    )
    sheets = await scoring.submitted_scores(store, call_id)
    return Score.of_sheet(next(sheet for sheet in sheets if sheet.score.id == score.id))


@router.get("/scores/averages", dependencies=READ)
async def get_averages(store: StoreOf, asked: Asked) -> Averages:
    """The mean scores of each employee in each week."""
    return Averages.of_figures(await score_figures.score_figures(store, **asked))


@router.get("/scores/agreement", dependencies=READ)
async def get_agreement(store: StoreOf, asked: Asked) -> list[Agreement]:
    """How often people who scored the same call gave the same answers."""
    return [
        Agreement.of_card(agreement) for agreement in await score_figures.agreements(store, **asked)
    ]


@router.get("/scores/disputes", dependencies=READ)
async def list_disputes(
    store: StoreOf,
    settled: Annotated[bool, Query(description="Settled ones instead of open ones.")] = False,
) -> list[Score]:
    """The scores with an open dispute, the oldest dispute first, or the newest settled ones."""
    found = await disputes.list_disputes(store, settled=settled)
    return [Score.of_sheet(disputed.sheet) for disputed in found]


@router.post("/scores/{score_id}/dispute", status_code=201)
async def dispute_score(
    store: StoreOf, now: Now, token: Writer, score_id: ScoreId, said: NewDispute
) -> Dispute:
    """Dispute a score for the employee whose call it is: once for each score."""
    person = _as_person(token, now, said.employee)
    made = await disputes.dispute_score(store, score_id, said.text, person=person, now=now)
    return Dispute.of(made)


@router.post("/scores/{score_id}/settle")
async def settle_dispute(
    store: StoreOf, now: Now, token: Writer, score_id: ScoreId, answer: DisputeAnswer
) -> Dispute:
    """Answer a dispute. Answers that differ from those of the score change it; without any it is
    kept.
    """
    person = _as_person(token, now)
    settled = await disputes.settle_dispute(
        store, score_id, answer.text, answer.values(), person=person, now=now
    )
    return Dispute.of(settled)


def _as_person(token: Token, now: datetime, employee: str | None = None) -> Person:
    """A program with the right to write scores acts as an administrator does."""
    return Person(
        login=f"api:{token.name}"[:64],
        password_hash="",
        role=Role.ADMINISTRATOR,
        created_at=now,
        employee=employee,
    )
