"""Promo codes in what was said: read out at once, in parts, or letter by letter."""

import re
from collections.abc import Iterable

from router.domain.calls.transcript import Segment, Side
from router.domain.visitors.promo_codes import LENGTH, read_code

MOST = 20  # codes of one call that are looked up
_PART = re.compile(r"[^\W_]+")
_DIGITS = {
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
    "два": "2",
    "две": "2",
    "три": "3",
    "четыре": "4",
    "пять": "5",
    "шесть": "6",
    "семь": "7",
    "восемь": "8",
    "девять": "9",
}


def possible_codes(segments: Iterable[Segment]) -> tuple[str, ...]:
    """What may be a promo code, in the order in which it is said; the caller's first."""
    said: dict[Side, list[str]] = {side: [] for side in Side}
    for segment in segments:
        parts = _PART.findall(segment.text.casefold())
        said[segment.side] += [_DIGITS.get(part, part) for part in parts]
    found: dict[str, None] = {}
    for parts in said.values():
        codes = [_at(parts, place) for place in range(len(parts))]
        found.update(dict.fromkeys(code for code in codes if code))
    return tuple(found)[:MOST]


def _at(parts: list[str], place: int) -> str | None:
    """The code that begins with this part."""
    joined = ""
    for part in parts[place : place + LENGTH]:
        joined += part
        if len(joined) >= LENGTH:
            return read_code(joined)
    return None
