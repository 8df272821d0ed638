"""What was said in a call: segments of each side, with the times of their words where the engine
gives them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from router.domain.delivery.outcome import Outcome
from router.domain.language import Language
from router.domain.names import check_key
from router.domain.text import one_line
from router.errors import InvalidInput

LONGEST_TEXT = 4000  # letters of a segment
LONGEST_PIECE = 580.0  # seconds; vLLM refuses more than 600 by default
SEARCHED = 120.0  # seconds before the longest end in which a quiet moment is looked for


class Side(StrEnum):
    """Who speaks: the channels of a recording, in their order."""

    CALLER = "caller"
    COMPANY = "company"


class TranscriptState(StrEnum):
    """Where a transcript is."""

    WAITING = "waiting"  # the worker has not finished
    DONE = "done"
    FAILED = "failed"


class Engine(StrEnum):
    """What turns speech into text."""

    HTTP = "http"  # a server with OpenAI's interface
    LOCAL = "local"  # faster-whisper on this machine


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionRule:
    """Which calls are transcribed, and by what. There is none at first."""

    id: str
    engine: Engine
    calls: str = ""  # a query as in the address of the list of calls; empty: all
    least_talk_seconds: float = 10.0
    address: str = ""  # of the server
    model: str = ""  # its name; of the local engine also a directory
    language: str = Language.RUSSIAN.value  # spoken: ISO 639-1
    active: bool = True
    created_at: datetime

    def __post_init__(self) -> None:
        check_key("rule", self.id)
        if self.engine is Engine.HTTP and not self.address:
            raise InvalidInput(f"rule '{self.id}': a server needs an address")
        if len(self.language) != 2 or not (self.language.isascii() and self.language.islower()):
            raise InvalidInput(
                f"'{self.language[:20]}' is not a language: write two letters, such as ru or en"
            )
        if not 0 <= self.least_talk_seconds <= 86_400:
            raise InvalidInput(f"rule '{self.id}': the talk lasts 0 to 86400 seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A spoken word; seconds from the beginning of the recording."""

    text: str
    at: float
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """What one side says without a pause; seconds from the beginning of the recording."""

    side: Side
    at: float
    until: float
    text: str
    words: tuple[Word, ...] = ()  # empty: the engine gave no times of words

    def later(self, seconds: float) -> "Spoken":
        """The same in a recording of which the heard piece begins at `seconds`."""
        words = tuple(
            replace(word, at=word.at + seconds, until=word.until + seconds) for word in self.words
        )
        return replace(self, at=self.at + seconds, until=self.until + seconds, words=words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A line of a transcript."""

    call_id: str
    place: int  # in the order of time, from 0
    side: Side
    at: float
    until: float
    text: str
    words: tuple[Word, ...] = ()
    original: str | None = None  # the engine's text, if a person corrected it
    corrected_by: str | None = None
    corrected_at: datetime | None = None

    def timed_words(self) -> tuple[Word, ...]:
        """Its words with their times; estimated by letters where the engine gave none, and in
        corrected lines.
        """
        if self.words and self.original is None:
            return self.words
        return spread(self.text, self.at, self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """The transcript of one call, without its segments."""

    call_id: str
    rule_id: str
    state: TranscriptState
    due_at: datetime  # the worker processes it from this time on
    created_at: datetime
    attempts: int = 0
    progress: float = 0.0  # 0…1 of the present attempt
    outcome: Outcome | None = None  # why it failed, or waits
    engine: str | None = None  # the server's host and its model, or the local model
    language: str | None = None
    done_at: datetime | None = None


def spread(text: str, at: float, until: float) -> tuple[Word, ...]:
    """The words of a text, each as long as its share of letters."""
    words = text.split()
    total = sum(len(word) for word in words)
    second, spoken = at, []
    for word in words:
        end = second + (until - at) * len(word) / total
        spoken.append(Word(text=word, at=round(second, 2), until=round(end, 2)))
        second = end
    return tuple(spoken)


def in_order(call_id: str, spoken: Sequence[Spoken]) -> tuple[Segment, ...]:
    """Both sides as the lines of one transcript."""
    ordered = sorted(spoken, key=lambda line: (line.at, line.side))
    return tuple(_segment(call_id, place, line) for place, line in enumerate(ordered))


def _segment(call_id: str, place: int, line: Spoken) -> Segment:
    return Segment(
        call_id=call_id,
        place=place,
        side=line.side,
        at=line.at,
        until=line.until,
        text=line.text,
        words=line.words,
    )


def corrected(segment: Segment, text: str, *, author: str, now: datetime) -> Segment:
    """The segment with a person's text. The engine's text is kept, and comes back when it is
    entered again. Raises `InvalidInput`.
    """
    text = one_line(text, LONGEST_TEXT + 1)
    if not 1 <= len(text) <= LONGEST_TEXT:
        raise InvalidInput(f"a line of a transcript has 1 to {LONGEST_TEXT} letters")
    if text == segment.text:
        return segment
    original = segment.original
    if original is None:
        original = segment.text
    if text == original:
        return replace(segment, text=text, original=None, corrected_by=None, corrected_at=None)
    return replace(segment, text=text, original=original, corrected_by=author, corrected_at=now)


def pieces(seconds: float, peaks: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Start and end of the parts in which one side is transcribed: none is longer than servers
    accept, and each ends at the quietest moment near that.
    """
    start = 0.0
    while seconds - start > LONGEST_PIECE:
        end = _quietest(start + LONGEST_PIECE - SEARCHED, start + LONGEST_PIECE, seconds, peaks)
        yield start, end
        start = end
    yield start, seconds


def _quietest(first: float, last: float, seconds: float, peaks: Sequence[float]) -> float:
    if not peaks:
        return last
    step = seconds / len(peaks)
    indexes = range(int(first / step) + 1, int(last / step))
    quiet = min(indexes, key=lambda index: (peaks[index], -index), default=None)
    if quiet is None:
        return last
    return (quiet + 0.5) * step
