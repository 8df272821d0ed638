"""The block list, and the effect of spam."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from router.domain.calls.spam import LONGEST_NOTE, LineFault
from router.web.api.models.base import Answer, Body


class BlockedCaller(Answer):
    """A number, or the beginning of numbers, whose calls are spam."""

    id: str
    """The number (E.164), or its first digits with `*`."""

    note: str
    """Why it is on the list."""

    author: str
    """Who added it."""

    created_at: datetime
    """When (UTC)."""


class NewEntry(Body):
    """A number to put on the block list."""

    number: Annotated[str, Field(min_length=1, max_length=40)]
    """A number in any spelling, or its first digits with `*`."""

    note: Annotated[str, Field(max_length=LONGEST_NOTE)] = ""
    """Why."""


class BadEntry(Answer):
    """A line that cannot be used."""

    line: int
    """Its number in the file."""

    text: str
    """Its first cell."""

    fault: LineFault
    """What is wrong."""


class ImportedList(Answer):
    """What became of the lines of a file."""

    added: int
    """Numbers that were added."""

    known: int
    """Numbers that the list had already."""

    bad: tuple[BadEntry, ...]
    """Lines that cannot be used; the others were taken."""
