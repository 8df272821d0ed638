"""Reviews of the invented calls by supervisors: a score card, scores, disputes, and a rule."""

import random
import secrets
from collections.abc import Sequence
from datetime import datetime

from router.demo.month.cast import ANSWER, DISPUTES, SUPERVISORS
from router.domain.access import Person, Role
from router.domain.calls.call import Call
from router.domain.calls.score_card import Question, QuestionKind
from router.domain.calls.scoring import Score
from router.service.admin.access import add_person
from router.service.calls.disputes import dispute_score, settle_dispute
from router.service.calls.rules import Wanted, apply_to_past, keep_rule, list_rules
from router.service.calls.score_answers import answer_question, submit_score
from router.service.calls.score_cards import CardText, add_card, publish_card
from router.service.calls.scoring import begin_score
from router.service.ports import Store

_QUESTIONS = (
    Question(id="greeting", text="Greeted with a name", weight=20),
    Question(id="need", text="Asked what the caller needs", kind=QuestionKind.SCALE, weight=40),
    Question(id="next", text="Agreed on the next step", weight=40),
    Question(id="rude", text="Was polite throughout", critical=True),
)
_SCORED = 14  # calls
_DISPUTED = 75  # scores below


async def judge(store: Store, calls: Sequence[Call], end: datetime, chance: random.Random) -> None:
    """Score the newest calls, some of them by both supervisors, and keep a rule."""
    text = CardText(name="Consultation", questions=_QUESTIONS)
    card = await add_card(store, text, author=SUPERVISORS[0], now=end)
    await publish_card(store, card.id, end)
    async with store.read() as session:
        people = await session.get_many(Person, SUPERVISORS)

    for place, call in enumerate(calls[:_SCORED]):
        scorers: Sequence[str] = SUPERVISORS
        if place % 4:
            scorers = SUPERVISORS[place % 2 :][:1]
        for login in scorers:
            await _score(store, call, card.id, people[login], end, chance)
    await _dispute(store, end)
    silent = Wanted(name="Long silences", query="silence_from=8", tag="long silence", review=True)
    await keep_rule(store, silent, author=SUPERVISORS[0], now=end)
    for view in await list_rules(store):  # the rule for target calls is there from the beginning
        await apply_to_past(store, view.rule.id)


async def _score(
    store: Store, call: Call, card_id: str, person: Person, end: datetime, chance: random.Random
) -> None:
    await begin_score(store, call.id, card_id, person, end)
    for question in _QUESTIONS:
        likely, value = 0.75, "no"
        if question.critical:
            likely = 0.97
        if chance.random() < likely:
            value = "yes"
        if question.kind is QuestionKind.SCALE:
            value = str(chance.choices((2, 3, 4, 5), weights=(1, 2, 4, 3))[0])
        await answer_question(store, call.id, question.id, value, login=person.login)
    await submit_score(store, call.id, login=person.login, now=end)


async def _dispute(store: Store, end: datetime) -> None:
    """An employee disputes the lowest scores of their calls; the first dispute is answered."""
    async with store.read() as session:
        scores = [score for score in await session.find(Score) if (score.score or 0) < _DISPUTED]
    scores.sort(key=lambda score: (score.score or 0, score.call_id, score.scorer))
    employees: dict[str, Person] = {}
    for score, text in zip(scores, DISPUTES, strict=False):
        name = score.employee or ""
        if name not in employees:
            employees[name] = await _employee(store, name, end)
        await dispute_score(store, score.id, text, person=employees[name], now=end)
    for score in scores[:1]:
        async with store.read() as session:
            scorer = await session.get(Person, score.scorer)
        answers = {"greeting": "yes", "need": "5"}
        await settle_dispute(store, score.id, ANSWER, answers, person=scorer, now=end)


async def _employee(store: Store, name: str, end: datetime) -> Person:
    login = f"{name.rpartition('/')[2]}.employee"
    password = secrets.token_urlsafe(16)
    return await add_person(store, login, password, Role.EMPLOYEE, end, employee=name)
