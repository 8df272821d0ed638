"""Reads what servers with OpenAI's transcription interface answer. They differ: the length is a
number or a string, words are beside the segments, in them, or absent, and some know plain text
only.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from router.domain.calls.transcript import LONGEST_TEXT, Side, Spoken, Word
from router.domain.text import one_line

MOST_SEGMENTS = 20_000  # of one piece
MOST_WORDS = 60_000


def read_segments(body: Any, text: str, side: Side, seconds: float) -> tuple[Spoken, ...] | None:
    """What one piece of `seconds` says; None if the answer holds no text at all."""
    if not isinstance(body, dict):
        if body is not None or not _is_plain(text):
            return None
        return _whole(one_line(text, LONGEST_TEXT), side, seconds)
    if not isinstance(body.get("segments"), list):
        said = body.get("text")
        if not isinstance(said, str):
            return None
        return _whole(one_line(said, LONGEST_TEXT), side, seconds)

    words = list(_words(body.get("words"), seconds))
    found = []
    for part in body["segments"][:MOST_SEGMENTS]:
        segment = _segment(part, side, seconds)
        if segment is not None:
            own = list(_words(part.get("words"), seconds)) or _within(words, segment)
            found.append(_with_words(segment, own))
    if not found and isinstance(body.get("text"), str):
        return _whole(one_line(body["text"], LONGEST_TEXT), side, seconds)
    return tuple(found)


def _is_plain(text: str) -> bool:
    """Whether this is a spoken text, and not the page of another server."""
    return not text.lstrip().startswith(("<", "{", "["))


def _whole(text: str, side: Side, seconds: float) -> tuple[Spoken, ...]:
    """A text without times: the whole piece."""
    if not text:
        return ()
    return (Spoken(side=side, at=0.0, until=seconds, text=text),)


def _segment(part: Any, side: Side, seconds: float) -> Spoken | None:
    if not isinstance(part, dict) or not isinstance(part.get("text"), str):
        return None
    text = one_line(part["text"], LONGEST_TEXT)
    at, until = _second(part.get("start"), seconds), _second(part.get("end"), seconds)
    if not text or at is None:
        return None
    if until is None or until <= at:
        until = seconds
    return Spoken(side=side, at=at, until=max(at, until), text=text)


def _words(given: Any, seconds: float) -> Iterator[Word]:
    if not isinstance(given, list):
        return
    for part in given[:MOST_WORDS]:
        if not isinstance(part, dict):
            continue
        text = part.get("word", part.get("text"))
        at, until = _second(part.get("start"), seconds), _second(part.get("end"), seconds)
        if isinstance(text, str) and text.strip() and at is not None:
            until = max(at, until or at)
            yield Word(text=one_line(text, LONGEST_TEXT), at=at, until=until)


def _within(words: list[Word], segment: Spoken) -> list[Word]:
    """The words whose middle is in this segment."""
    return [word for word in words if segment.at <= (word.at + word.until) / 2 < segment.until]


def _with_words(segment: Spoken, words: list[Word]) -> Spoken:
    """The segment with its words, if they are the words of its text."""
    if len(words) != len(segment.text.split()):
        return segment
    return replace(segment, words=tuple(words))


def _second(value: Any, most: float) -> float | None:
    """A moment in the piece, from a number or a string."""
    try:
        second = float(value)
    except (TypeError, ValueError):
        return None
    if not math.isfinite(second):
        return None
    return round(min(max(second, 0.0), most), 3)
