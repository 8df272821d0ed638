"""Score cards in the store: drafts change, published versions never."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from router.domain.calls.score_card import CardState, Question
from router.errors import Conflict, InvalidInput, NotFound
from router.service.calls import score_cards as service
from router.service.calls.score_cards import CardText
from router.store.engine import SqlStore
from tests.integration.scores_world import QUESTIONS, a_card
from tests.support.builders import NOON

LATER = NOON + timedelta(minutes=1)


async def test_a_published_version_never_changes_and_the_next_one_takes_its_place(
    store: SqlStore,
) -> None:
    first = await a_card(store)
    text = CardText(name="Sales", questions=QUESTIONS)
    with pytest.raises(Conflict):
        await service.save_draft(store, first.id, text, seen=first.edited_at, now=LATER)
    with pytest.raises(Conflict):
        await service.remove_draft(store, first.id)

    draft = await service.draft_next(store, first.id, author="anna", now=LATER)
    again = await service.draft_next(store, first.id, author="boris", now=LATER)
    assert (draft.id, draft.version, draft.questions) == (again.id, 2, first.questions)
    changed = replace(QUESTIONS[0], text="Greets")
    text = CardText(name="Sales", questions=(changed, *QUESTIONS[1:]))
    await service.save_draft(store, draft.id, text, seen=draft.edited_at, now=LATER)
    await service.publish_card(store, draft.id, LATER)

    old = await service.show_card(store, first.id)
    assert (old.state, old.questions) == (CardState.ARCHIVED, first.questions)
    cards = await service.list_cards(store)
    assert [(card.version, card.state) for card in cards] == [
        (2, CardState.PUBLISHED),
        (1, CardState.ARCHIVED),
    ]


async def test_a_draft_that_two_people_edit_keeps_the_first_edit(store: SqlStore) -> None:
    draft = await service.add_card(store, CardText(name="A"), author="anna", now=NOON)
    texts = [CardText(name=name) for name in ("B", "C")]
    done = await asyncio.gather(
        *(
            service.save_draft(store, draft.id, text, seen=draft.edited_at, now=LATER)
            for text in texts
        ),
        return_exceptions=True,
    )
    assert sorted(type(answer).__name__ for answer in done) == ["Conflict", "ScoreCard"]


async def test_so_many_cards_are_published_and_no_more(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_PUBLISHED", 1)
    card = await a_card(store)
    with pytest.raises(Conflict, match="archive one first"):
        await a_card(store, "another")
    following = await service.draft_next(store, card.id, author="anna", now=NOON)
    await service.publish_card(store, following.id, NOON)


async def test_an_incomplete_draft_is_kept_but_not_published(store: SqlStore) -> None:
    text = CardText(name="A", query="ending=answered&period=7d&junk=1", questions=QUESTIONS[:1])
    draft = await service.add_card(store, text, author="anna", now=NOON)
    assert draft.query == "ending=answered"
    with pytest.raises(InvalidInput, match="add up to 40"):
        await service.publish_card(store, draft.id, NOON)
    await service.remove_draft(store, draft.id)
    with pytest.raises(NotFound):
        await service.show_card(store, draft.id)


@pytest.mark.parametrize(
    "text",
    [
        CardText(name=" \n"),
        CardText(name="A", questions=(Question(id="a", text="\u200b"),)),
        CardText(name="A", questions=(Question(id="a", text="x", weight=-5),)),
    ],
)
async def test_a_card_without_a_name_or_with_spoilt_questions_is_refused(
    store: SqlStore, text: CardText
) -> None:
    with pytest.raises(InvalidInput):
        await service.add_card(store, text, author="anna", now=NOON)
    assert await service.list_cards(store) == []
