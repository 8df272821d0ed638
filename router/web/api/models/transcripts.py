"""Transcripts of calls."""

from datetime import datetime
from typing import Annotated

from pydantic import StringConstraints

from router.domain.calls.transcript import LONGEST_TEXT, Side, TranscriptState
from router.domain.calls.transcript import Segment as SegmentRecord
from router.service.calls.transcripts import TranscriptView
from router.web.api.models.base import Answer, Body
from router.web.api.models.outcomes import Outcome


class SpokenWord(Answer):
    """A word and its time."""

    text: str
    """The word."""

    at_seconds: float
    """When it begins, in seconds of the recording."""

    until_seconds: float
    """When it ends, in seconds of the recording."""


class Segment(Answer):
    """A line of a transcript."""

    place: int
    """Its place in the transcript, from 0."""

    side: Side
    """Who speaks."""

    at_seconds: float
    """When it begins, in seconds of the recording."""

    until_seconds: float
    """When it ends, in seconds of the recording."""

    text: str
    """What is said."""

    words: tuple[SpokenWord, ...]
    """The words with their times."""

    estimated: bool
    """Whether the times of the words are estimated: the engine gave none, or the line was
    corrected."""

    original: str | None
    """The engine's text, if a person corrected it."""

    corrected_by: str | None
    """Who corrected it."""

    corrected_at: datetime | None
    """When (UTC)."""

    @classmethod
    def of_line(cls, line: SegmentRecord) -> "Segment":
        """A line of the domain."""
        words = []
        for word in line.timed_words():
            words.append(SpokenWord(text=word.text, at_seconds=word.at, until_seconds=word.until))

        return cls(
            place=line.place,
            side=line.side,
            at_seconds=line.at,
            until_seconds=line.until,
            text=line.text,
            words=tuple(words),
            estimated=not line.words or line.original is not None,
            original=line.original,
            corrected_by=line.corrected_by,
            corrected_at=line.corrected_at,
        )


class Transcript(Answer):
    """What was said in a call."""

    state: TranscriptState
    """Whether it is made, waiting or failed."""

    progress: float
    """How much of the recording is heard, 0 to 1."""

    engine: str | None
    """What made it: a server and its model, or the local model."""

    language: str | None
    """The spoken language, ISO 639-1."""

    outcome: Outcome | None
    """Why it failed, or is tried again."""

    done_at: datetime | None
    """When it was made (UTC)."""

    codes: tuple[str, ...]
    """Promo codes that were said and that a page showed before the call; to be confirmed."""

    segments: tuple[Segment, ...]
    """The lines, in the order of time."""

    @classmethod
    def of_view(cls, view: TranscriptView) -> "Transcript":
        """A transcript with its lines."""
        names = [name for name in cls.model_fields if name not in {"segments", "codes"}]
        facts = {name: getattr(view.transcript, name) for name in names}
        segments = [Segment.of_line(line) for line in view.segments]
        return cls.model_validate({**facts, "codes": view.codes, "segments": segments})


class Correction(Body):
    """A person's text of a line."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TEXT)]
    """What was said."""
