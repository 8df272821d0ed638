"""Word lists as the API sends and takes them."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from router.domain.calls import word_list as domain
from router.domain.calls.tagging import tag_name
from router.domain.calls.transcript import Side
from router.service.calls.word_list_trials import WordTrial
from router.web.api.models.base import Answer, Body

Phrase = Annotated[str, Field(min_length=1, max_length=domain.LONGEST_PHRASE)]
Phrases = Annotated[tuple[Phrase, ...], Field(min_length=1, max_length=domain.MOST_PHRASES)]


class WordList(Answer):
    """Words and phrases of one meaning. They are found in any form, in Russian and English."""

    id: str
    """The list's key."""

    tag: str
    """The tag of calls in which one of them is said."""

    phrases: tuple[str, ...]
    """Its words and phrases."""

    site_id: str | None
    """The site whose calls it is for; null: every site."""

    side: Side | None
    """Who says them; null: either side."""

    created_at: datetime
    """When it was added (UTC)."""


class WordsWanted(Body):
    """A word list to try or to keep."""

    tag: Annotated[str, Field(min_length=1, max_length=40)]
    """The tag of calls in which one of them is said."""

    phrases: Phrases
    """Words and phrases, in any form."""

    site_id: Annotated[str | None, Field(max_length=40)] = None
    """The site whose calls it is for; null: every site."""

    side: Side | None = None
    """Who says them; null: either side."""

    def as_list(self, key: str, now: datetime) -> domain.WordList:
        """The same for the service. Raises `InvalidInput`."""
        return domain.WordList(
            id=key,
            tag=tag_name(self.tag),
            phrases=tuple(dict.fromkeys(self.phrases)),
            site_id=self.site_id,
            side=self.side,
            created_at=now,
        )


class Said(Answer):
    """A call in which a word of the list is said, and the first line that says it."""

    call_id: str
    """The call's id."""

    at_seconds: float
    """When it is said: seconds from the beginning of the recording."""

    side: Side
    """Who says it."""

    phrase: str
    """The word or phrase of the list."""

    text: str
    """The line."""


class TriedWords(Answer):
    """What a word list finds in past transcripts."""

    calls: int
    """In how many calls a word of it is said."""

    is_all: bool
    """Whether all transcripts with these words were read: false where only the newest 300 were."""

    examples: tuple[Said, ...]
    """The ten calls that were transcribed last."""

    @classmethod
    def of_trial(cls, trial: WordTrial) -> Self:
        """The same from the service's value."""
        examples = []
        for example in trial.examples:
            said = {
                "call_id": example.line.call.id,
                "at_seconds": example.at_seconds,
                "side": example.segment.side,
                "phrase": example.phrase,
                "text": example.segment.text,
            }
            examples.append(said)
        return cls.of({"calls": trial.calls, "is_all": trial.is_all, "examples": examples})
