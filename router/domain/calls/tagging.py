"""Tags: those set by rules, and those registered to be offered."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from router.domain.calls.call import Call, State, Tag
from router.domain.calls.missed_events import EventKind, RungCall
from router.errors import InvalidInput

MISSED = "missed"
BY_RULE = "rule"  # of Ringtrace itself: missed calls, word lists
BY_RULES = "rule:desk"  # of supervisors: such a tag goes when no rule wants it
SET_BY_RULES = {MISSED}
LONGEST_MOMENT = 86_400.0  # seconds into a recording

_NAME = re.compile(r"[\w][\w .:-]{0,39}")


class TagColour(StrEnum):
    """Colours that differ from each other for most eyes, in light and dark."""

    GREY = "grey"
    RED = "red"
    ORANGE = "orange"
    YELLOW = "yellow"
    GREEN = "green"
    TEAL = "teal"
    BLUE = "blue"
    VIOLET = "violet"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredTag:
    """A tag that is offered, or one that is being replaced on its calls."""

    name: str
    colour: TagColour = TagColour.GREY
    digit: int | None = None  # 1…9: the key that sets it, and its place
    replaced_by: str | None = None  # another tag; "" removes it from its calls
    replaced_at: datetime | None = None  # since when
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedTag:
    """A tag that is in use or registered, with the number of its calls."""

    name: str
    calls: int
    colour: TagColour | None = None  # None: not registered
    digit: int | None = None
    replaced_by: str | None = None


def tag_name(text: str) -> str:
    """The name of a tag as it is stored: small letters, single spaces. Raises `InvalidInput`."""
    name = " ".join(text.split()).casefold()
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"'{name[:50]}' cannot be a tag: 1 to 40 letters, digits, spaces and . : - _"
        )
    return name


def check_moment(seconds: float | None) -> None:
    """Raises `InvalidInput` for what is no moment of a recording."""
    if seconds is not None and not 0 <= seconds <= LONGEST_MOMENT:
        raise InvalidInput("A moment of a recording is 0 to 86400 seconds.")


def tags_by_rule(call: Call, now: datetime) -> tuple[Tag, ...]:
    """The tags of an ended call: `missed` for the calls that tasks of missed callers count."""
    if call.state is not State.ENDED:
        return ()
    event = RungCall.of(call).event()
    if event is not None and event.kind is EventKind.MISSED:
        return (Tag(call_id=call.id, name=MISSED, author=BY_RULE, at=now),)
    return ()
