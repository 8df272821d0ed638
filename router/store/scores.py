"""Scores of calls in the store."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, delete, func, select

from router.domain.calls.scoring import Answer, Dispute, Score, ScoredBy, ScoreState
from router.service.calls.score_ports import Average, Span
from router.store import tables
from router.store.direct import AnyConnection
from router.store.records import from_rows
from router.store.writing import insert_into

_score, _answer, _dispute = tables.score, tables.score_answer, tables.dispute
_facet = tables.call_facet
_UNANSWERED = {"value": "", "comment": "", "at_seconds": None}
_SUBMITTED = _score.c.state == ScoreState.SUBMITTED


@dataclass(frozen=True, slots=True)
class SqlScores:
    """The `Scores` of `router.service.calls.score_ports`."""

    connection: AnyConnection

    async def of_call(self, call_id: str) -> list[Score]:
        """All scores of a call, the first submitted first."""
        query = select(_score).where(_score.c.call_id == call_id)
        rows = await self.connection.execute(query.order_by(_score.c.submitted_at, _score.c.id))
        return from_rows(Score, rows)

    async def of_employee(self, employee: str, limit: int) -> list[Score]:
        """The submitted scores of an employee's calls, the newest first."""
        query = select(_score).where(_score.c.employee == employee, _SUBMITTED)
        newest = query.order_by(_score.c.submitted_at.desc(), _score.c.id.desc()).limit(limit)
        return from_rows(Score, await self.connection.execute(newest))

    async def answers(self, score_ids: Sequence[str]) -> dict[str, list[Answer]]:
        """The answers of these scores."""
        found: dict[str, list[Answer]] = {}
        rows = await self.connection.execute(
            select(_answer).where(_answer.c.score_id.in_(score_ids))
        )
        for row in rows:
            answer = Answer(
                question_id=row.question_id,
                value=row.value,
                comment=row.comment,
                at_seconds=row.at_seconds,
            )
            found.setdefault(row.score_id, []).append(answer)
        return found

    async def save_answer(self, score_id: str, question_id: str, **values: Any) -> None:
        """Save some values of one answer, and leave the others as they are."""
        row = {"score_id": score_id, "question_id": question_id, **_UNANSWERED, **values}
        await self.connection.execute(
            insert_into(_answer, self.connection.dialect.name)
            .values(row)
            .on_conflict_do_update(index_elements=["score_id", "question_id"], set_=values)
        )

    async def averages(self, spans: Sequence[Span]) -> list[Average]:
        """The mean scores of each employee in spans that follow one another."""
        place = case(
            *((_facet.c.arrived_at < end, number) for number, (_, end) in enumerate(spans)),
            else_=len(spans),
        ).label("place")
        query = (
            select(_facet.c.scored, place, func.avg(_facet.c.score), func.count())
            .where(
                _facet.c.scored > "",
                _facet.c.arrived_at >= spans[0][0],
                _facet.c.arrived_at < spans[-1][1],
            )
            .group_by(_facet.c.scored, place)
            .order_by(_facet.c.scored, place)
        )
        averages = []
        for employee, number, score, calls in await self.connection.execute(query):
            averages.append(Average(employee=employee, span=number, score=score, calls=calls))
        return averages

    async def doubled(self, span: Span, limit: int) -> list[Score]:
        """The scores of calls that several people scored by the same version of a card, submitted
        in this span, the newest first.
        """
        newly = select(_score.c.call_id).where(
            _score.c.submitted_at >= span[0], _score.c.submitted_at < span[1]
        )
        several = (
            select(_score.c.call_id, _score.c.card_id)
            .where(_score.c.call_id.in_(newly), _SUBMITTED, _score.c.by == ScoredBy.PERSON)
            .group_by(_score.c.call_id, _score.c.card_id)
            .having(
                func.count() > 1,
                func.max(_score.c.submitted_at) >= span[0],
                func.max(_score.c.submitted_at) < span[1],
            )
            .order_by(func.max(_score.c.submitted_at).desc())
            .limit(limit)
            .subquery()
        )
        same = (several.c.call_id == _score.c.call_id) & (several.c.card_id == _score.c.card_id)
        query = (
            select(_score)
            .join(several, same)
            .where(_SUBMITTED, _score.c.by == ScoredBy.PERSON)
            .order_by(_score.c.call_id, _score.c.id)
        )
        return from_rows(Score, await self.connection.execute(query))

    async def disputes(self, limit: int, *, settled: bool) -> list[Dispute]:
        """Open disputes, the oldest first, or settled ones, the newest first."""
        at = _dispute.c.settled_at
        query = select(_dispute).where(at.is_(None)).order_by(_dispute.c.at)
        if settled:
            query = select(_dispute).where(at.is_not(None)).order_by(at.desc())

        rows = await self.connection.execute(query.limit(limit))
        return from_rows(Dispute, rows)

    async def count_open(self) -> int:
        """How many disputes are not settled."""
        query = select(func.count()).select_from(_dispute).where(_dispute.c.settled_at.is_(None))
        return int((await self.connection.execute(query)).scalar_one())

    async def forget(self, login: str) -> None:
        """Remove what a person did not submit."""
        await self.connection.execute(delete(_score).where(_score.c.scorer == login, ~_SUBMITTED))
