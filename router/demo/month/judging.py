"""Reviews of the invented calls by supervisors: a score card, scores, and a rule."""

import random
from collections.abc import Sequence
from datetime import datetime

from router.demo.month.cast import SUPERVISORS
from router.domain.access import Person
from router.domain.calls.call import Call
from router.domain.calls.score_card import Question, QuestionKind
from router.service.calls.rules import Wanted, keep_rule
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
    silent = Wanted(name="Long silences", query="silence_from=8", tag="long silence", review=True)
    await keep_rule(store, silent, author=SUPERVISORS[0], now=end)


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
