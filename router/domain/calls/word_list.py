"""Word lists: words of competitors, refusals, prices … that become marks and tags when they are
said. They name what is said, and nothing about feelings.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from router.domain.calls.call import Tag
from router.domain.calls.marks import Mark, MarkKind
from router.domain.calls.stems import stems
from router.domain.calls.tagging import BY_RULE, tag_name
from router.domain.calls.transcript import Segment, Side, Word
from router.domain.names import check_key
from router.domain.text import one_line
from router.errors import InvalidInput

MOST_PHRASES = 200
LONGEST_PHRASE = 80  # letters
MOST_MARKS = 100  # of one list in one call


@dataclass(frozen=True, slots=True, kw_only=True)
class WordList:
    """Words and phrases of one meaning, in any form."""

    id: str
    tag: str  # set on calls in which one of them is said
    phrases: tuple[str, ...]
    site_id: str | None = None  # None: every site
    side: Side | None = None  # who says it; None: either
    created_at: datetime

    def __post_init__(self) -> None:
        check_key("list", self.id)
        tag_name(self.tag)
        if not 1 <= len(self.phrases) <= MOST_PHRASES:
            raise InvalidInput(f"list '{self.id}' has 1 to {MOST_PHRASES} words or phrases")
        for phrase in self.phrases:
            if not stems(phrase) or len(phrase) > LONGEST_PHRASE:
                raise InvalidInput(f"'{phrase[:40]}' is not a word or a phrase")


def read_phrases(text: str) -> tuple[str, ...]:
    """The phrases of a text: one a line, or with commas between them; each once."""
    phrases = (one_line(phrase, LONGEST_PHRASE + 1) for phrase in re.split(r"[\n,;]", text))
    return tuple(dict.fromkeys(filter(None, phrases)))


def words_said(found: WordList, segments: Iterable[Segment]) -> Iterator[tuple[str, Word]]:
    """The phrases of a list that are said, each with its first word."""
    wanted = [(phrase, stems(phrase)) for phrase in found.phrases]
    for segment in segments:
        if found.side in {None, segment.side}:
            yield from _in_line(wanted, segment.timed_words())


def _in_line(
    wanted: Sequence[tuple[str, list[str]]], words: Sequence[Word]
) -> Iterator[tuple[str, Word]]:
    said = [(stem, word) for word in words for stem in stems(word.text)]
    line = [stem for stem, _ in said]
    for place in range(len(line)):
        for phrase, parts in wanted:
            if line[place : place + len(parts)] == parts:
                yield phrase, said[place][1]


def tags_of_words(
    lists: Iterable[WordList], segments: Sequence[Segment], call_id: str, now: datetime
) -> list[Tag]:
    """The tags of the lists of which something is said, at its first moment."""
    tags = []
    for found in lists:
        first = next(words_said(found, segments), None)
        if first is not None:
            name, at = tag_name(found.tag), first[1].at
            tags.append(Tag(call_id=call_id, name=name, author=BY_RULE, at=now, at_seconds=at))
    return tags


def marks_of_words(lists: Iterable[WordList], segments: Sequence[Segment]) -> Iterator[Mark]:
    """What is said of the lists, for the timeline."""
    for found in lists:
        for count, (phrase, word) in enumerate(words_said(found, segments)):
            if count == MOST_MARKS:
                break
            text = f"{found.tag}: {phrase}"
            yield Mark(kind=MarkKind.WORD, at_seconds=word.at, text=text)
