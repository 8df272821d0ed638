"""Tries a word list on past transcripts before it is kept."""

from collections.abc import Sequence
from dataclasses import dataclass

from router.domain.calls.call import Call
from router.domain.calls.stems import stems
from router.domain.calls.transcript import Segment
from router.domain.calls.word_list import WordList, words_said
from router.service.calls.browse import CallLine, lines_of
from router.service.ports import Session, Store

MOST_TRIED = 60  # transcripts
EXAMPLES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidExample:
    """A call in which a word of the list is said, and the first line that says it."""

    line: CallLine
    phrase: str
    segment: Segment
    at_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WordTrial:
    """What a word list would find in past transcripts."""

    calls: int
    is_all: bool  # False: there are more transcripts with these words than were read
    examples: tuple[SaidExample, ...]  # of the calls that were transcribed last


async def try_words(store: Store, wanted: WordList) -> WordTrial:
    """The past calls in which a word of this list is said. Nothing is kept."""
    phrases = [stems(phrase) for phrase in wanted.phrases]
    found: dict[str, tuple[str, Segment, float]] = {}
    async with store.survey() as session:
        ids = await session.transcripts.saying_any(phrases, wanted.site_id, MOST_TRIED + 1)
        for call_id in ids[:MOST_TRIED]:
            first = _first_said(wanted, await session.transcripts.segments(call_id))
            if first is not None:
                found[call_id] = first
        examples = await _examples(session, found)
    return WordTrial(calls=len(found), is_all=len(ids) <= MOST_TRIED, examples=examples)


def _first_said(wanted: WordList, segments: Sequence[Segment]) -> tuple[str, Segment, float] | None:
    for segment in segments:
        for phrase, word in words_said(wanted, [segment]):
            return phrase, segment, word.at
    return None


async def _examples(
    session: Session, found: dict[str, tuple[str, Segment, float]]
) -> tuple[SaidExample, ...]:
    ids = list(found)[:EXAMPLES]
    calls = await session.get_many(Call, ids)
    lines = await lines_of(session, [calls[call_id] for call_id in ids])
    examples = []
    for line in lines:
        phrase, segment, at = found[line.call.id]
        examples.append(SaidExample(line=line, phrase=phrase, segment=segment, at_seconds=at))
    return tuple(examples)
