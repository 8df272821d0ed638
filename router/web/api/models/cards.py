"""Score cards as the API holds them."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from router.domain.calls import score_card as domain
from router.domain.calls.score_card import CardState, QuestionKind
from router.service.calls.score_cards import CardText
from router.web.api.models.base import Answer, Body, Moment


class Question(Answer):
    """A question of a card."""

    id: str
    """The question's id, the same in all versions of the card."""

    text: str
    """The question."""

    hint: str
    """What to look for."""

    kind: QuestionKind
    """`yes_no` is answered by `yes` or `no`, `scale` by `1` to `5`; both by `skip`."""

    weight: int
    """Its part of the score, in percent."""

    critical: bool
    """The worst answer, `no` or `1`, makes the whole score zero."""


class ScoreCard(Answer):
    """One version of a card. A published version never changes."""

    id: str
    """The version's id."""

    card_id: str
    """The card: the id of its first version."""

    version: int
    """Its number, from 1."""

    name: str
    """The card's name."""

    query: str
    """Filters of the calls that it is for, as an address of the list of calls says them."""

    questions: tuple[Question, ...]
    """Its questions, in their order."""

    state: CardState
    """Drafts change, published versions score calls, archived ones only explain scores."""

    author: str
    """The login, or `api:` and the token's name."""

    created_at: datetime
    """When it was made (UTC)."""

    edited_at: datetime
    """When it was last edited (UTC)."""

    published_at: datetime | None
    """When it was published (UTC)."""

    archived_at: datetime | None
    """When it was archived (UTC)."""


class NewQuestion(Body):
    """A question of a draft."""

    id: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,40}$")]
    """An id of your choice, the same in all versions of the card."""

    text: Annotated[str, Field(min_length=1, max_length=domain.LONGEST_QUESTION)]
    """The question."""

    hint: Annotated[str, Field(max_length=domain.LONGEST_HINT)] = ""
    """What to look for."""

    kind: QuestionKind = QuestionKind.YES_NO
    """How it is answered."""

    weight: Annotated[int, Field(ge=0, le=domain.WHOLE)]
    """Its part of the score, in percent; all weights of a published card add up to 100."""

    critical: bool = False
    """The worst answer makes the whole score zero."""


class NewCard(Body):
    """What a draft says."""

    name: Annotated[str, Field(min_length=1, max_length=domain.LONGEST_NAME)]
    """The card's name."""

    query: Annotated[str, Field(max_length=4000)] = ""
    """Filters of the calls that it is for, e.g. `site=shop&talk_from=60`; empty: all calls."""

    questions: Annotated[tuple[NewQuestion, ...], Field(max_length=domain.MOST_QUESTIONS)] = ()
    """Its questions."""

    def written(self) -> CardText:
        """The same for the service."""
        questions = tuple(domain.Question(**question.fields()) for question in self.questions)
        return CardText(name=self.name, query=self.query, questions=questions)


class EditedCard(NewCard):
    """A draft as it shall be."""

    seen: Moment
    """`edited_at` of the draft that is changed: one that was edited since stays."""
