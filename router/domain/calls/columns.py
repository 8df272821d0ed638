"""Columns of the list of calls, and of its exports."""

from collections.abc import Iterable
from enum import StrEnum


class Column(StrEnum):
    """A column; the values are kept in views, addresses and cookies."""

    TIME = "time"
    CALLER = "caller"
    NUMBER = "number"
    SOURCE = "source"
    VERDICT = "verdict"
    ENDING = "ending"
    WAIT = "wait"
    TALK = "talk"
    TAGS = "tags"
    SITE = "site"
    CAMPAIGN = "campaign"
    TERM = "term"
    CHANNEL = "channel"
    DESTINATION = "destination"
    EMPLOYEE = "employee"
    PROBABILITY = "probability"
    SCORE = "score"
    FIRST = "first"
    REVIEWED = "reviewed"
    TARGET = "target"
    SPAM = "spam"
    SILENCE = "silence"
    TALK_OVER = "talk_over"
    HOLD = "hold"
    DIRECTION = "direction"
    ID = "id"


Columns = tuple[Column, ...]
DEFAULT: Columns = (
    Column.TIME,
    Column.CALLER,
    Column.NUMBER,
    Column.SOURCE,
    Column.VERDICT,
    Column.ENDING,
    Column.WAIT,
    Column.TALK,
    Column.TAGS,
)
BETWEEN = "."  # in addresses and cookies


def chosen(names: Iterable[str]) -> Columns:
    """The columns with these names, each once; unknown names are ignored. The caller is always
    among them, because it is the link to the call.
    """
    known = {column.value for column in Column}
    found = tuple(Column(name) for name in dict.fromkeys(names) if name in known)
    if not found or Column.CALLER in found:
        return found
    return (Column.CALLER, *found)


def read_columns(text: str | None) -> Columns:
    """The columns that an address or a cookie names; none if it names none."""
    return chosen((text or "")[:400].split(BETWEEN))


def written_columns(columns: Columns) -> str:
    """The same for an address or a cookie."""
    return BETWEEN.join(columns)


def offered(columns: Columns) -> Columns:
    """These columns, and behind them all others."""
    return (*columns, *(column for column in Column if column not in columns))


def moved(columns: Columns, column: Column, by: int) -> Columns:
    """The same with one column moved by so many places, as far as there are places."""
    if column not in columns:
        return columns
    place = columns.index(column)
    target = min(max(place + by, 0), len(columns) - 1)
    rest = [other for other in columns if other is not column]
    return (*rest[:target], column, *rest[target:])
