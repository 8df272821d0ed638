"""Score cards: listed, written as drafts, published and archived."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from router.domain.calls.score_card import (
    LONGEST_HINT,
    LONGEST_NAME,
    LONGEST_QUESTION,
    MOST_QUESTIONS,
    Question,
    QuestionKind,
    check_complete,
)
from router.errors import InvalidInput
from router.service.calls.score_cards import (
    CardText,
    add_card,
    archive_card,
    draft_next,
    list_cards,
    publish_card,
    remove_draft,
    save_draft,
    show_card,
)
from router.service.calls.views import list_views
from router.web.deps import AppStateOf, LoggedIn, Now, StoreOf, logged_in, same_origin
from router.web.pages.list_state import editor_of

router = APIRouter(include_in_schema=False)
CHANGES = [Depends(same_origin)]
SPARE = 3  # empty rows of the editor
Text = Annotated[str, Form(max_length=4000)]
Texts = Annotated[list[str], Form(max_length=MOST_QUESTIONS + SPARE)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The questions of the editor's form, a row each; a row without a text is no question."""

    id: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    hint: list[str] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    weight: list[str] = field(default_factory=list)
    critical: list[int] = field(default_factory=list)  # places of rows

    def questions(self, move: str) -> tuple[Question, ...]:
        """The questions in their order; `move` is a row and the number of places to move it by.
        Raises `InvalidInput`.
        """
        columns = (self.id, self.text, self.hint, self.kind, self.weight)
        if len({len(column) for column in columns}) > 1:
            raise InvalidInput("The rows of the form are not whole.")
        places = list(range(len(self.text)))
        row, _, by = move.partition(":")
        if row.isdecimal() and by in ("-1", "1") and int(row) in places:
            places.insert(max(int(row) + int(by), 0), places.pop(int(row)))
        return tuple(self._question(place) for place in places if self.text[place].strip())

    def _question(self, place: int) -> Question:
        weight = self.weight[place].strip() or "0"
        if not (weight.isdecimal() and len(weight) < 4):
            raise InvalidInput(f"'{weight[:20]}' is no weight.")
        kind = self.kind[place]
        if kind not in list(QuestionKind):
            raise InvalidInput(f"'{kind[:20]}' is no kind of question.")
        return Question(
            id=self.id[place][:40] or secrets.token_hex(4),
            text=self.text[place],
            hint=self.hint[place],
            kind=QuestionKind(kind),
            weight=int(weight),
            critical=place in self.critical,
        )


async def read_rows(
    question_id: Texts = [],  # noqa: B006 (FastAPI copies it)
    text: Texts = [],  # noqa: B006
    hint: Texts = [],  # noqa: B006
    kind: Texts = [],  # noqa: B006
    weight: Texts = [],  # noqa: B006
    critical: Annotated[list[int], Form()] = [],  # noqa: B006
) -> Rows:
    """The rows of the form."""
    return Rows(id=question_id, text=text, hint=hint, kind=kind, weight=weight, critical=critical)


@router.get("/cards")
async def cards(
    request: Request, app_state: AppStateOf, store: StoreOf, person: LoggedIn
) -> Response:
    """All cards with their versions."""
    found = groupby(await list_cards(store), key=lambda card: card.card_id)
    return app_state.pages.render(
        request, "cards.html", person=person, cards=[list(versions) for _, versions in found]
    )


@router.post("/cards", dependencies=CHANGES)
async def add(store: StoreOf, person: LoggedIn, now: Now, name: Text) -> Response:
    """Add a card."""
    card = await add_card(store, CardText(name=name), author=person.login, now=now)
    return _to(card.id)


@router.get("/cards/{version_id}")
async def card(
    request: Request, app_state: AppStateOf, store: StoreOf, person: LoggedIn, version_id: str
) -> Response:
    """One version: a form if it is a draft."""
    found = await show_card(store, version_id)
    spare = min(SPARE, MOST_QUESTIONS - len(found.questions))
    return app_state.pages.render(
        request,
        "card.html",
        person=person,
        card=found,
        rows=[*found.questions, *(None for _ in range(spare))],
        views=await list_views(store, editor_of(person)),
        calls=f"/calls?{found.query}" if found.query else "/calls",
        longest={"name": LONGEST_NAME, "text": LONGEST_QUESTION, "hint": LONGEST_HINT},
    )


@router.post("/cards/{version_id}", dependencies=CHANGES)
async def save(
    request: Request,
    app_state: AppStateOf,
    store: StoreOf,
    _: LoggedIn,
    now: Now,
    version_id: str,
    name: Text,
    seen: Annotated[datetime, Form()],
    rows: Annotated[Rows, Depends(read_rows)],
    query: Text = "",
    move: Annotated[str, Form(max_length=10)] = "",
    publish: Annotated[bool, Form()] = False,
) -> Response:
    """Save a draft, and publish it if that is asked for."""
    text = CardText(name=name, query=query, questions=rows.questions(move))
    try:
        if publish:
            check_complete(text.questions)
    except InvalidInput:
        return app_state.pages.problem(request, "incomplete_card", status=422, headers={})
    await save_draft(store, version_id, text, seen=seen, now=now)
    if publish:
        await publish_card(store, version_id, now)
    return _to(version_id)


@router.post("/cards/{version_id}/draft", dependencies=CHANGES)
async def draft(store: StoreOf, person: LoggedIn, now: Now, version_id: str) -> Response:
    """Make a draft of the next version."""
    return _to((await draft_next(store, version_id, author=person.login, now=now)).id)


@router.post("/cards/{version_id}/archive", dependencies=[*CHANGES, Depends(logged_in)])
async def archive(store: StoreOf, now: Now, version_id: str) -> Response:
    """Archive a published version."""
    await archive_card(store, version_id, now)
    return _to(version_id)


@router.post("/cards/{version_id}/remove", dependencies=[*CHANGES, Depends(logged_in)])
async def remove(store: StoreOf, version_id: str) -> Response:
    """Remove a draft."""
    await remove_draft(store, version_id)
    return RedirectResponse("/cards", 303)


def _to(version_id: str) -> Response:
    return RedirectResponse(f"/cards/{version_id}", 303)
