"""Figures of scores: averages by employee and week, and agreement of those who scored one call."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import groupby

from router.domain.calls.sampling import MOST_WEEKS, monday
from router.domain.calls.score_card import Question, ScoreCard
from router.domain.calls.scoring import Score, agreement
from router.errors import InvalidInput
from router.service.calls.score_ports import Average
from router.service.calls.score_sheets import Sheet, sheets_of
from router.service.ports import Store

MOST_DOUBLED = 1000  # calls
MOST_EXAMPLES = 10
AT_ONCE = 500  # scores of one query


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A mean of scores, and of how many calls."""

    score: float
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EmployeeFigures:
    """The scores of an employee: all weeks together, and each week; None is a week without."""

    employee: str
    all: Figure
    weeks: tuple[Figure | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreFigures:
    """Averages of some weeks."""

    mondays: tuple[date, ...]
    employees: tuple[EmployeeFigures, ...]

    @property
    def until(self) -> date:
        """The last day."""
        return self.mondays[-1] + timedelta(days=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionAgreement:
    """How often those who scored one call gave the same answer, and calls where they did not."""

    question: Question
    pairs: int
    equal: int
    differing: tuple[str, ...]  # ids of calls


@dataclass(frozen=True, slots=True, kw_only=True)
class CardAgreement:
    """The agreement on the questions of one version of a card."""

    card: ScoreCard
    calls: int
    questions: tuple[QuestionAgreement, ...]


async def score_figures(store: Store, *, last: date, weeks: int, zone: tzinfo) -> ScoreFigures:
    """The averages of each employee in so many weeks up to that of `last`; weeks are those of
    `zone`. Raises `InvalidInput`.
    """
    mondays = _mondays(last, weeks)
    starts = [datetime.combine(day, time(), zone) for day in mondays]
    spans = []
    for start, day in zip(starts, mondays, strict=True):
        spans.append((start, datetime.combine(day + timedelta(days=7), time(), zone)))

    async with store.survey() as session:
        averages = await session.scores.averages(spans)
    grouped = groupby(averages, key=lambda average: average.employee)
    return ScoreFigures(
        mondays=tuple(mondays),
        employees=tuple(_of_employee(name, list(found), weeks) for name, found in grouped),
    )


async def agreements(
    store: Store, *, last: date, weeks: int, zone: tzinfo
) -> tuple[CardAgreement, ...]:
    """The agreement of people who scored the same calls by the same card in these weeks. Raises
    `InvalidInput`.
    """
    mondays = _mondays(last, weeks)
    begin = datetime.combine(mondays[0], time(), zone)
    end = datetime.combine(mondays[-1] + timedelta(days=7), time(), zone)
    sheets: list[Sheet] = []
    async with store.survey() as session:
        scores = await session.scores.doubled((begin, end), MOST_DOUBLED)
        for some in _in_parts(scores):
            sheets += await sheets_of(session, some)
    by_card: dict[str, list[Sheet]] = {}
    for sheet in sheets:
        by_card.setdefault(sheet.card.id, []).append(sheet)
    found = [_of_card(some) for some in by_card.values()]
    return tuple(
        sorted(
            found, key=lambda agreement: (agreement.card.name.casefold(), -agreement.card.version)
        )
    )


def _mondays(last: date, weeks: int) -> list[date]:
    if not 1 <= weeks <= MOST_WEEKS:
        raise InvalidInput(f"Averages are of 1 to {MOST_WEEKS} weeks.")
    if not 2001 <= last.year <= 2200:
        raise InvalidInput("Averages are of weeks between the years 2001 and 2200.")
    first = monday(last) - timedelta(days=7 * (weeks - 1))
    return [first + timedelta(days=7 * place) for place in range(weeks)]


def _of_employee(employee: str, averages: Sequence[Average], weeks: int) -> EmployeeFigures:
    by_week = {}
    for average in averages:
        by_week[average.span] = Figure(score=average.score, calls=average.calls)

    calls = sum(average.calls for average in averages)
    whole = sum(average.score * average.calls for average in averages) / calls
    return EmployeeFigures(
        employee=employee,
        all=Figure(score=whole, calls=calls),
        weeks=tuple(by_week.get(place) for place in range(weeks)),
    )


def _of_card(sheets: Sequence[Sheet]) -> CardAgreement:
    """The sheets are of one version."""
    card = sheets[0].card
    ordered = sorted(sheets, key=lambda sheet: sheet.score.call_id)
    by_call = {}
    for call_id, some in groupby(ordered, key=lambda sheet: sheet.score.call_id):
        by_call[call_id] = agreement(card.questions, [sheet.values for sheet in some])

    questions = []
    for place, question in enumerate(card.questions):
        of_calls = {call_id: found[place] for call_id, found in by_call.items()}
        differing = [
            call_id for call_id, compared in of_calls.items() if compared.equal < compared.pairs
        ]
        questions.append(
            QuestionAgreement(
                question=question,
                pairs=sum(compared.pairs for compared in of_calls.values()),
                equal=sum(compared.equal for compared in of_calls.values()),
                differing=tuple(differing[:MOST_EXAMPLES]),
            )
        )
    return CardAgreement(card=card, calls=len(by_call), questions=tuple(questions))


def _in_parts(scores: Sequence[Score]) -> Iterable[Sequence[Score]]:
    return (scores[start : start + AT_ONCE] for start in range(0, len(scores), AT_ONCE))
