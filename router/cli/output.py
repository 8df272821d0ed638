"""Output of commands: tables for people, JSON for programs.

Names of callers and campaigns come from outside, so printed text is never parsed as markup, and
control characters and direction marks are escaped.
"""

import json
import os
import sys
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Annotated, Any

import typer
from pydantic_core import to_jsonable_python
from rich.console import Console, OverflowMethod
from rich.padding import Padding
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from router.domain.delivery.entity import Ref
from router.domain.delivery.outcome import Outcome, as_json
from router.domain.phone import display
from router.domain.visitors.site import SourceRule, Step

AsJson = Annotated[bool, typer.Option("--json", help="Print only JSON on stdout.")]

WIDE, WIDER = 110, 150  # terminals that show more columns of a table
PIPED = 1000  # lines are not wrapped for programs
_STEERING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_REFERENCES = {f"{word}_id": word for word in ("site", "destination", "pool", "receiver", "call")}
_JOINER = "\u200d"  # holds many emoji together


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table."""

    title: str
    least: int = 0  # columns that a terminal must have for this one to be shown
    most: int | None = None  # characters of it shown on a terminal; 60 elsewhere
    right: bool = False
    whole: bool = False  # never wrapped, because people copy it


def clean(text: str, *, keep: str = "") -> str:
    """`text` with control characters escaped, except those in `keep`."""
    return "".join(c if c in keep or not _steers(c) else ascii(c)[1:-1] for c in text)


def _steers(character: str) -> bool:
    return unicodedata.category(character) in _STEERING and character != _JOINER


def moment(at: datetime | None) -> str:
    """Date and time in the local zone, to the second."""
    if not at:
        return ""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def short_moment(at: datetime, now: datetime) -> str:
    """Date and time in the local zone like `ls`: the year only if it is not the current one."""
    local = at.astimezone()
    return local.strftime("%d %b %H:%M" if local.year == now.astimezone().year else "%Y-%m-%d")


def duration(seconds: float | None) -> str:
    """`1:02:03`, `2:04`."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{rest:02}"
    return f"{minutes}:{rest:02}"


def phone(number: str | None, raw: str = "") -> str:
    """A phone number for display, or the raw text."""
    if not number:
        return raw
    return display(number)


def words(value: Any) -> str:
    """Any value of a record as text."""
    match value:
        case None:
            return "-"
        case bool():
            if value:
                return "yes"
            return "no"
        case datetime():
            return moment(value)
        case Step():
            return f"{value.dial}:{value.ring_seconds}"
        case Ref():
            return f"{value.kind} {value.id}"
        case SourceRule():
            return f"{value.field}:{value.text}={value.channel}"
        case tuple() | list() | frozenset():
            return ", ".join(words(item) for item in value) or "-"
        case Enum():
            return str(value).replace("_", " ")
        case _:
            return str(value)


def print_json(value: Any, *, without: Iterable[str] = ()) -> None:
    """JSON on stdout; fields named in `without` are left out of a record."""
    sys.stdout.write(json.dumps(plain(value, without=without), ensure_ascii=True, indent=2) + "\n")


def plain(value: Any, *, without: Iterable[str] = ()) -> Any:
    """A record, or several, as plain JSON values; datetimes are ISO 8601 in UTC."""
    left_out = frozenset(without)
    if isinstance(value, list | tuple):
        return [plain(item, without=left_out) for item in value]
    if isinstance(value, Outcome):
        return as_json(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {
            f.name: plain(getattr(value, f.name)) for f in fields(value) if f.name not in left_out
        }
    return to_jsonable_python(value)


def print_table(
    columns: Sequence[Column],
    rows: Iterable[Sequence[Any]],
    *,
    empty: str = "",
    title: str = "",
    indent: int = 0,
) -> None:
    """Print a table on stdout; if it has no rows, print `empty` on stderr."""
    lines = [[_cell(value) for value in row] for row in rows]
    if not lines:
        if empty:
            note(empty)
        return
    console = stdout()
    shown = [i for i, column in enumerate(columns) if console.width >= column.least]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for place in shown:
        _add_column(table, columns[place], console.width)
    for line in lines:
        table.add_row(*(Text(line[i]) for i in shown))
    print_title(title)
    console.print(Padding(table, (0, 0, 0, indent), expand=False))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return clean(words(value))


def _add_column(table: Table, column: Column, width: int) -> None:
    cut = column.most
    overflow: OverflowMethod = "fold"
    if cut:
        overflow = "ellipsis"
    if cut and width >= PIPED:
        cut = 60
    table.add_column(
        column.title,
        justify="right" if column.right else "left",
        no_wrap=column.whole or cut is not None,
        max_width=cut,
        overflow=overflow,
    )


def print_facts(facts: Iterable[tuple[str, Any]], *, title: str = "", indent: int = 0) -> None:
    """Print names and values in two columns, without None."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for name, value in facts:
        if value is not None:
            table.add_row(Text(name), Text(clean(words(value))))
    print_title(title)
    stdout().print(Padding(table, (0, 0, 0, indent), expand=False))


def print_title(title: str) -> None:
    """Print a heading, if there is one."""
    if title:
        stdout().print(Text(f"\n{title}", style="bold"))


def print_record(record: Any, *, without: Collection[str] = ()) -> None:
    """Print every field of a record except those in `without`."""
    shown = [f.name for f in fields(record) if f.name not in without]
    print_facts(
        (_REFERENCES.get(name, name.replace("_", " ")), getattr(record, name)) for name in shown
    )


def print_error(message: str) -> None:
    """Print an error on stderr."""
    stderr().print(
        Text.assemble(("Error: ", "bold red"), clean(message, keep="\n")), soft_wrap=True
    )


def say(text: str) -> None:
    """Print a result on stdout."""
    stdout().print(Text(clean(text, keep="\n")))


def note(text: str) -> None:
    """Print a remark on stderr."""
    stderr().print(Text(clean(text, keep="\n")))


def progress(*, known: bool = True) -> Progress:
    """Progress on stderr if it is a terminal; `known`: the amount of work is known."""
    console = stderr()
    amount: list[ProgressColumn] = []
    if known:
        amount = [BarColumn(), MofNCompleteColumn()]

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        *amount,
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def stdout() -> Console:
    """Standard output as it is now."""
    return _console(sys.stdout, stderr=False)


def stderr() -> Console:
    """Standard error as it is now."""
    return _console(sys.stderr, stderr=True)


def _console(stream: Any, *, stderr: bool) -> Console:
    if hasattr(stream, "reconfigure"):
        # terminals without Cyrillic show escapes
        stream.reconfigure(errors="backslashreplace")
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PIPED
    return console
