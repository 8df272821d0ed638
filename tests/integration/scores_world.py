"""Cards and people of the tests of scores."""

from router.domain.access import Person, Role
from router.domain.calls.score_card import Question, QuestionKind, ScoreCard
from router.service.calls import score_cards
from router.service.calls.score_answers import answer_question, submit_score
from router.service.calls.score_cards import CardText
from router.service.calls.scoring import begin_score
from router.service.ports import Store
from tests.support.builders import NOON

QUESTIONS = (
    Question(id="greet", text="Greets by name", weight=40),
    Question(id="help", text="Helps", kind=QuestionKind.SCALE, weight=60),
    Question(id="rude", text="Stays polite", critical=True),
)
GOOD = {"greet": "yes", "help": "5", "rude": "yes"}


def person(login: str, role: Role = Role.SUPERVISOR, employee: str | None = None) -> Person:
    """Somebody who is logged in."""
    return Person(login=login, password_hash="", role=role, created_at=NOON, employee=employee)


ANNA, BORIS = person("anna"), person("boris")
ROOT = person("root", Role.ADMINISTRATOR)
MARIA = person("maria", Role.EMPLOYEE, "PJSIP/maria")


async def a_card(store: Store, name: str = "Sales", query: str = "") -> ScoreCard:
    """A published card."""
    text = CardText(name=name, query=query, questions=QUESTIONS)
    draft = await score_cards.add_card(store, text, author="root", now=NOON)
    return await score_cards.publish_card(store, draft.id, NOON)


async def scored(store: Store, call_id: str, card: ScoreCard, who: Person, **values: str) -> str:
    """A submitted score; its id."""
    score = await begin_score(store, call_id, card.id, who, NOON)
    for question_id, value in {**GOOD, **values}.items():
        await answer_question(store, call_id, question_id, value, login=who.login)
    await submit_score(store, call_id, login=who.login, now=NOON)
    return score.id
