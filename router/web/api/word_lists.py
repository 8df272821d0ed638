"""Word lists: words that become marks and tags of the calls in which they are said."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from router.domain.access import Scope
from router.domain.calls import word_list as domain
from router.errors import InvalidInput, NotAllowed, NotFound
from router.service.admin import setup
from router.service.calls.word_list_trials import try_words
from router.web.api.models.word_lists import TriedWords, WordList, WordsWanted
from router.web.deps import NotLoggedIn, Now, StoreOf, needs
from router.web.error_handlers import answers

router = APIRouter(
    prefix="/word-lists",
    tags=["word lists"],
    responses=answers(NotFound, InvalidInput, NotLoggedIn, NotAllowed),
)
READ = [Depends(needs(Scope.CALLS_READ))]
WRITE = [Depends(needs(Scope.CALLS_WRITE))]
ListKey = Annotated[str, Path(description="The list's key: 1 to 40 of a-z, 0-9 and '-'.")]


@router.get("", dependencies=READ)
async def list_word_lists(store: StoreOf) -> list[WordList]:
    """All lists, by their keys."""
    return [WordList.of(found) for found in await setup.list_all(store, domain.WordList)]


@router.post("/try", dependencies=READ)
async def try_word_list(store: StoreOf, now: Now, wanted: WordsWanted) -> TriedWords:
    """In how many past calls a word of such a list is said, and examples. Nothing is kept."""
    return TriedWords.of_trial(await try_words(store, wanted.as_list("trial", now)))


@router.put("/{key}", dependencies=WRITE)
async def keep_word_list(store: StoreOf, now: Now, key: ListKey, wanted: WordsWanted) -> WordList:
    """Add a list, or change the one with this key. Tags are set on calls that are transcribed or
    corrected from then on.
    """
    return WordList.of(await setup.keep_words(store, wanted.as_list(key, now)))


@router.delete("/{key}", status_code=204, dependencies=WRITE)
async def remove_word_list(store: StoreOf, key: ListKey) -> None:
    """Remove a list. The tags that it set stay."""
    await setup.remove(store, domain.WordList, key)
