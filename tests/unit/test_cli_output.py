"""What the command line prints: safe whatever strangers called themselves, and readable."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from router.cli import app
from router.cli.moments import parse_moment
from router.cli.output import Column, clean, duration, plain, print_error, print_json, print_table
from router.domain.access import Scope, Token

NOW = datetime(2026, 1, 20, 11, 30, tzinfo=UTC)
HOSTILE = {
    "[red]x[/]": "[red]x[/]",
    "[/nonsense] :smile:": "[/nonsense] :smile:",
    "\x1b[2Jgone": "\\x1b[2Jgone",
    "\u202eevil": "\\u202eevil",
    "a\rb\tc\x7f": "a\\rb\\tc\\x7f",
    "\ud800": "\\ud800",
    "\x9b31m": "\\x9b31m",
    "\u2066x": "\\u2066x",
}


@pytest.mark.parametrize(("name", "printed"), HOSTILE.items())
def test_a_callers_name_can_steer_no_terminal(
    name: str, printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    print_table((Column(title="name"),), [(name,)])
    print_error(name)
    said = capsys.readouterr()
    assert said.out.splitlines()[1].strip() == printed
    assert said.err.strip() == f"Error: {printed}"


def test_markup_is_printed_as_it_was_written(capsys: pytest.CaptureFixture[str]) -> None:
    print_table((Column(title="name"),), [("[bold]Ivan[/bold] :smile:",)])
    assert "[bold]Ivan[/bold] :smile:" in capsys.readouterr().out


def test_names_in_any_script_and_joined_emoji_stay_as_they_are() -> None:
    assert clean("Мария 李 👩\u200d🚒 é") == "Мария 李 👩\u200d🚒 é"


def test_a_line_is_never_broken_for_the_program_that_reads_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)  # xdist sets it
    print_table((Column(title="a"), Column(title="b")), [("x" * 200, "the end")])
    assert capsys.readouterr().out.splitlines()[1].split() == ["x" * 200, "the", "end"]


def test_a_narrow_terminal_leaves_columns_out_instead_of_breaking_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = (Column(title="call", whole=True), Column(title="verdict", least=110))
    for width, shown in (("80", False), ("120", True)):
        monkeypatch.setenv("COLUMNS", width)
        print_table(columns, [("rt1-1768912345.1", "exact")])
        assert ("exact" in capsys.readouterr().out) is shown


def test_json_is_plain_ascii_with_iso_datetimes_and_without_what_is_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    token = Token(
        id="1", name="касса\u202e", digest="d", scopes=(Scope.CALLS_READ,), created_at=NOW
    )
    print_json([token], without={"digest"})
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out) == [
        {
            "id": "1",
            "name": "касса\u202e",
            "scopes": ["calls:read"],
            "created_at": "2026-01-20T11:30:00Z",
        }
    ]
    assert plain(None) is None


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (124.4, "2:04"), (3723, "1:02:03"), (None, "")]
)
def test_durations_are_written_as_clocks_write_them(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_times_without_a_zone_are_local_and_ages_count_from_now() -> None:
    assert parse_moment("2026-01-20 14:00+03:00") == datetime(2026, 1, 20, 11, tzinfo=UTC)
    assert parse_moment("2026-01-20 14:00") == datetime(2026, 1, 20, 14).astimezone(UTC)
    before = datetime.now(UTC)
    assert before <= parse_moment("2h") + timedelta(hours=2) <= datetime.now(UTC)
    assert (parse_moment("today") - parse_moment("yesterday")).total_seconds() in {
        82_800,
        86_400,
        90_000,
    }


def commands(command: Any, path: str = "ringtrace") -> Iterator[tuple[str, Any]]:
    """Each command with its name."""
    if not isinstance(command, TyperGroup):
        yield path, command
        return
    for name, one in command.commands.items():
        yield from commands(one, f"{path} {name}")


def test_every_argument_and_option_says_what_it_is() -> None:
    silent = [
        f"{path} {given.name}"
        for path, command in commands(typer.main.get_command(app))
        for given in command.params
        if not getattr(given, "help", None) and not getattr(given, "hidden", False)
    ]
    assert silent == []
