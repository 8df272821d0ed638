"""Reads passwords from a prompt, standard input or the environment; never from arguments, which
`ps` shows.
"""

import os
import sys
from typing import Annotated

import typer

from router.errors import InvalidInput

FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


def read_password(
    *, from_stdin: bool, what: str, variable: str | None = None, twice: bool = False
) -> str:
    """Read a password. Raises `InvalidInput` if there is no terminal to prompt."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if variable and (given := os.environ.get(variable)):
        return given
    if not sys.stdin.isatty():
        ways = "--password-stdin" + (f" or {variable}" if variable else "")
        raise InvalidInput(f"There is no terminal to prompt for {what}: use {ways}.")
    return str(
        typer.prompt(what.capitalize(), hide_input=True, confirmation_prompt=twice, err=True)
    )
