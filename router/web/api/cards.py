"""Score cards and their versions."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from router.domain.access import Scope, Token
from router.errors import Conflict, NotAllowed, NotFound
from router.service.calls import score_cards as service
from router.web.api.models.cards import EditedCard, NewCard, ScoreCard
from router.web.deps import NotLoggedIn, Now, StoreOf, needs
from router.web.error_handlers import answers

router = APIRouter(
    prefix="/cards",
    tags=["scores"],
    responses=answers(NotFound, Conflict, NotLoggedIn, NotAllowed),
)
READ = [Depends(needs(Scope.CALLS_READ))]
Writer = Annotated[Token, Depends(needs(Scope.CALLS_WRITE))]
VersionId = Annotated[str, Path(description="The version's id.")]


@router.get("", dependencies=READ)
async def list_cards(store: StoreOf) -> list[ScoreCard]:
    """All versions of all cards, by name, the newest version of each card first."""
    return [ScoreCard.of(card) for card in await service.list_cards(store)]


@router.post("", status_code=201)
async def add_card(store: StoreOf, now: Now, token: Writer, new: NewCard) -> ScoreCard:
    """Add a card as a draft."""
    author = f"api:{token.name}"[:70]
    return ScoreCard.of(await service.add_card(store, new.written(), author=author, now=now))


@router.get("/{version_id}", dependencies=READ)
async def get_card(store: StoreOf, version_id: VersionId) -> ScoreCard:
    """One version."""
    return ScoreCard.of(await service.show_card(store, version_id))


@router.put("/{version_id}")
async def edit_card(
    store: StoreOf, now: Now, _: Writer, version_id: VersionId, edited: EditedCard
) -> ScoreCard:
    """Change a draft."""
    card = await service.save_draft(store, version_id, edited.written(), seen=edited.seen, now=now)
    return ScoreCard.of(card)


@router.post("/{version_id}/publish")
async def publish_card(store: StoreOf, now: Now, _: Writer, version_id: VersionId) -> ScoreCard:
    """Publish a draft; the version that was published before is archived."""
    return ScoreCard.of(await service.publish_card(store, version_id, now))


@router.post("/{version_id}/archive")
async def archive_card(store: StoreOf, now: Now, _: Writer, version_id: VersionId) -> ScoreCard:
    """Score no more calls by this version; its scores stay."""
    return ScoreCard.of(await service.archive_card(store, version_id, now))


@router.post("/{version_id}/draft", status_code=201)
async def draft_next(store: StoreOf, now: Now, token: Writer, version_id: VersionId) -> ScoreCard:
    """The draft of the card's next version; a new one begins as this version is."""
    author = f"api:{token.name}"[:70]
    return ScoreCard.of(await service.draft_next(store, version_id, author=author, now=now))


@router.delete("/{version_id}", status_code=204)
async def remove_draft(store: StoreOf, _: Writer, version_id: VersionId) -> None:
    """Remove a draft."""
    await service.remove_draft(store, version_id)
