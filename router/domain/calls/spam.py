"""Signs of spam: a caller on the block list, a burst of short calls over several numbers, a number
that no visitor was shown, a caller who says nothing. None of them blocks a call.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from router.domain.calls.call import Call, Direction, Recording, RecordingState, State
from router.domain.phone import parse_number
from router.domain.text import one_line, storable
from router.domain.visitors.site import NumberKind, TrackingNumber
from router.errors import InvalidInput

WINDOW = timedelta(minutes=10)  # of a burst,
LEAST_CALLS, LEAST_NUMBERS = 5, 3  # of so many short calls to so many numbers
SHORT = timedelta(seconds=20)  # from the arrival to the end
LEAST_HEARD, MOST_HEARD = 5.0, 60.0  # seconds of a call in which a silent caller is a sign
SPEECH = 0.3  # seconds of the caller's voice that are none
UNUSED = timedelta(seconds=5)  # a lease lasts longer
NEW = timedelta(days=7)  # of a number
EVERYONE = "*"  # the caller of an exemption that switches a sign off
LEAST_DIGITS = 4  # of a prefix
LONGEST_NOTE = 200
MOST_LINES = 20_000

_EIGHT = {"RU", "KZ"}  # national numbers begin with 8, international ones with 7
_PREFIX = re.compile(r"\+?(\d{1,15})\*")


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedCaller:
    """A number or the beginning of numbers whose calls are spam."""

    id: str  # E.164, or its beginning with `*` behind it
    note: str = ""
    author: str
    created_at: datetime


def entry_id(text: str, region: str) -> str:
    """The id of an entry: a number in any spelling, or its first digits with `*`. Raises
    `InvalidInput`.
    """
    typed = re.sub(r"[\s()-]", "", text)
    if typed.endswith("*"):
        found = _PREFIX.fullmatch(typed)
        if found is None or len(found[1]) < LEAST_DIGITS:
            raise InvalidInput(f"A prefix has {LEAST_DIGITS} to 15 digits: +7495123*")
        digits = found[1]
        if not typed.startswith("+") and region in _EIGHT and digits.startswith("8"):
            digits = f"7{digits[1:]}"
        return f"+{digits}*"
    return parse_number(text, region)


def entries_for(caller: str) -> list[str]:
    """The ids of all entries that this caller would be on the list by."""
    digits = caller.removeprefix("+")
    prefixes = (f"+{digits[:length]}*" for length in range(LEAST_DIGITS, len(digits) + 1))
    return [caller, *prefixes]


class LineFault(StrEnum):
    """Why a line of a list cannot be used."""

    NOT_A_NUMBER = "not_a_number"
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True, kw_only=True)
class BadEntry:
    """A line of a list that cannot be used."""

    line: int
    text: str
    fault: LineFault


def read_list(text: str, region: str) -> Iterator[tuple[str, str] | BadEntry]:
    """The entries of a CSV file, each with its note. The first cell of a line is the number; a
    first line without a digit is a title.
    """
    separator = ","
    if ";" in text.partition("\n")[0]:
        separator = ";"
    rows = csv.reader(io.StringIO(storable(text.removeprefix("\ufeff"))), delimiter=separator)
    for count, row in enumerate(rows):
        number = "".join(row[:1]).strip().lstrip("'")
        if not number or (count == 0 and not re.search(r"\d", number)):
            continue
        if count >= MOST_LINES:
            yield BadEntry(line=rows.line_num, text=number[:40], fault=LineFault.TOO_MANY)
            return
        try:
            yield entry_id(number, region), one_line(" ".join(row[1:]), LONGEST_NOTE)
        except InvalidInput:
            yield BadEntry(line=rows.line_num, text=number[:40], fault=LineFault.NOT_A_NUMBER)


def is_short(call: Call) -> bool:
    """Whether a call may be a part of a burst."""
    ended = call.state is State.ENDED and call.ended_at is not None
    is_incoming = call.direction is Direction.INCOMING and call.caller is not None
    return ended and is_incoming and call.ended_at - call.arrived_at <= SHORT  # type: ignore[operator]


def bursts(calls: Iterable[Call]) -> set[str]:
    """The ids of the calls of one caller that are part of a burst, whatever their order."""
    shorts = sorted((call for call in calls if is_short(call)), key=lambda c: (c.arrived_at, c.id))
    found: set[str] = set()
    for first in shorts:
        until = first.arrived_at + WINDOW
        near = [call for call in shorts if first.arrived_at <= call.arrived_at <= until]
        if len(near) >= LEAST_CALLS and len({c.number or c.did for c in near}) >= LEAST_NUMBERS:
            found |= {call.id for call in near}
    return found


def is_silent(call: Call, recording: Recording | None) -> bool:
    """Whether a person answered and the caller said nothing, not even a word."""
    if recording is None or recording.state is not RecordingState.STORED:
        return False
    heard, speech = recording.seconds or 0.0, recording.caller_speech_seconds
    is_measured = speech is not None and heard >= LEAST_HEARD
    return is_measured and call.talk_seconds <= MOST_HEARD and (speech or 0.0) < SPEECH


def is_never_leased(number: TrackingNumber | None, at: datetime) -> bool:
    """Whether no visitor was ever shown a number that is shown to visitors alone, and that is long
    enough in its pool: new ones get test calls.
    """
    if number is None or number.kind is not NumberKind.DYNAMIC:
        return False
    return number.free_at <= number.created_at + UNUSED and at >= number.created_at + NEW
