"""Score cards: written as drafts, published as versions that never change, and archived."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from router.domain.calls.call import Call
from router.domain.calls.saved_view import read_text, written_text
from router.domain.calls.score_card import (
    LONGEST_HINT,
    LONGEST_NAME,
    LONGEST_QUESTION,
    CardState,
    Question,
    ScoreCard,
    check_bounds,
    check_complete,
)
from router.domain.ids import new_id
from router.domain.text import one_line, storable
from router.errors import Conflict, InvalidInput
from router.service.ports import Session, Store

MOST_CARDS = 500  # versions of all cards
MOST_PUBLISHED = 30  # each is compared with the call whose page is opened


@dataclass(frozen=True, slots=True, kw_only=True)
class CardText:
    """What a draft says."""

    name: str
    query: str = ""  # filters of the calls it is for, as an address says them
    questions: tuple[Question, ...] = ()


async def list_cards(store: Store) -> list[ScoreCard]:
    """All versions of all cards, by name, the newest version of each card first."""
    async with store.read() as session:
        cards = await session.find(ScoreCard)
    newest = {card.card_id: card for card in sorted(cards, key=lambda card: card.version)}

    def place(card: ScoreCard) -> tuple[str, str, int]:
        return newest[card.card_id].name.casefold(), card.card_id, -card.version

    return sorted(cards, key=place)


async def show_card(store: Store, version_id: str) -> ScoreCard:
    """One version. Raises `NotFound`."""
    async with store.read() as session:
        return await session.get(ScoreCard, version_id)


async def add_card(store: Store, text: CardText, *, author: str, now: datetime) -> ScoreCard:
    """Add a card as a draft. Raises `InvalidInput`."""
    text = _checked(text)
    version_id = new_id(now)
    card = ScoreCard(
        id=version_id,
        card_id=version_id,
        version=1,
        name=text.name,
        query=text.query,
        questions=text.questions,
        author=author,
        created_at=now,
        edited_at=now,
    )
    async with store.write() as session:
        await _check_number(session)
        await session.add(card)
    return card


async def save_draft(
    store: Store, version_id: str, text: CardText, *, seen: datetime, now: datetime
) -> ScoreCard:
    """Change a draft that was last edited at `seen`. Raises `NotFound`, `InvalidInput`, and
    `Conflict` if it was edited since or is no draft.
    """
    text = _checked(text)
    async with store.write() as session:
        card = await _draft(session, version_id)
        if card.edited_at != seen:
            raise Conflict("This draft was edited meanwhile: read it again.")
        card = replace(
            card, name=text.name, query=text.query, questions=text.questions, edited_at=now
        )
        await session.change(card)
    return card


async def publish_card(store: Store, version_id: str, now: datetime) -> ScoreCard:
    """Publish a draft in place of the published version. Raises `NotFound`, `InvalidInput` if it
    is not complete, and `Conflict` if it is no draft.
    """
    async with store.write() as session:
        card = await _draft(session, version_id)
        check_complete(card.questions)
        published = await session.find(ScoreCard, state=CardState.PUBLISHED)
        earlier = [other for other in published if other.card_id == card.card_id]
        if len(published) - len(earlier) >= MOST_PUBLISHED:
            raise Conflict(f"{MOST_PUBLISHED} cards are published: archive one first.")
        for other in earlier:
            await session.change(_archived(other, now))
        card = replace(card, state=CardState.PUBLISHED, published_at=now)
        await session.change(card)
    return card


async def archive_card(store: Store, version_id: str, now: datetime) -> ScoreCard:
    """Score no more calls by a published version; its scores stay. Raises `NotFound` and
    `Conflict`.
    """
    async with store.write() as session:
        await session.calls.lock()
        card = await session.get(ScoreCard, version_id)
        if card.state is not CardState.PUBLISHED:
            raise Conflict("Only a published version can be archived.")
        card = _archived(card, now)
        await session.change(card)
    return card


async def draft_next(store: Store, version_id: str, *, author: str, now: datetime) -> ScoreCard:
    """The draft of the card's next version; a new one begins as this version is. Raises
    `NotFound`.
    """
    async with store.write() as session:
        await session.calls.lock()
        card = await session.get(ScoreCard, version_id)
        versions = await session.find(ScoreCard, card_id=card.card_id)
        for other in versions:
            if other.state is CardState.DRAFT:
                return other
        await _check_number(session)
        draft = replace(
            card,
            id=new_id(now),
            version=max(version.version for version in versions) + 1,
            state=CardState.DRAFT,
            author=author,
            created_at=now,
            edited_at=now,
            published_at=None,
            archived_at=None,
        )
        await session.add(draft)
    return draft


async def remove_draft(store: Store, version_id: str) -> None:
    """Remove a draft. Raises `NotFound` and `Conflict`."""
    async with store.write() as session:
        await _draft(session, version_id)
        await session.remove(ScoreCard, version_id)


async def cards_for(session: Session, call: Call) -> list[ScoreCard]:
    """The published cards that are for this call, by name."""
    found = []
    for card in await session.find(ScoreCard, state=CardState.PUBLISHED):
        wanted = read_text(card.query).filter
        if wanted.is_empty or await session.calls.matching([call.id], wanted):
            found.append(card)
    return sorted(found, key=lambda card: (card.name.casefold(), card.id))


async def _draft(session: Session, version_id: str) -> ScoreCard:
    await session.calls.lock()
    card = await session.get(ScoreCard, version_id)
    if card.state is not CardState.DRAFT:
        raise Conflict("A published version never changes: make a draft of the next one.")
    return card


async def _check_number(session: Session) -> None:
    if len(await session.find(ScoreCard)) >= MOST_CARDS:
        raise Conflict(f"There are {MOST_CARDS} versions of cards: remove drafts first.")


def _archived(card: ScoreCard, now: datetime) -> ScoreCard:
    return replace(card, state=CardState.ARCHIVED, archived_at=now)


def _checked(text: CardText) -> CardText:
    name = one_line(storable(text.name), LONGEST_NAME)
    if not name:
        raise InvalidInput("Give the card a name.")
    query = replace(read_text(text.query), period=None, since=None, until=None)
    questions = _cleaned(text.questions)
    check_bounds(questions)
    return CardText(name=name, query=written_text(query), questions=questions)


def _cleaned(questions: Sequence[Question]) -> tuple[Question, ...]:
    kept = []
    for question in questions:
        kept.append(
            replace(
                question,
                text=one_line(storable(question.text), LONGEST_QUESTION),
                hint=one_line(storable(question.hint), LONGEST_HINT),
            )
        )
    cleaned = tuple(kept)
    if any(not question.text for question in cleaned):
        raise InvalidInput("A question has no text.")
    return cleaned
