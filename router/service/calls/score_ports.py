"""The port of scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from router.domain.calls.scoring import Answer, Dispute, Score

Span = tuple[datetime, datetime]  # from the first moment to before the second


@dataclass(frozen=True, slots=True, kw_only=True)
class Average:
    """The mean of the counting scores of an employee's calls in one span."""

    employee: str
    span: int  # its place in what was asked for
    score: float
    calls: int


class Scores(Protocol):
    """Scores of calls, and their answers."""

    async def count_open(self) -> int: ...
    async def of_call(self, call_id: str) -> list[Score]: ...
    async def of_employee(self, employee: str, limit: int) -> list[Score]: ...
    async def answers(self, score_ids: Sequence[str]) -> dict[str, list[Answer]]: ...
    async def save_answer(self, score_id: str, question_id: str, **values: Any) -> None: ...
    async def averages(self, spans: Sequence[Span]) -> list[Average]: ...
    async def doubled(self, span: Span, limit: int) -> list[Score]: ...
    async def disputes(self, limit: int, *, settled: bool) -> list[Dispute]: ...
    async def forget(self, login: str) -> None: ...
