"""Passwords come by prompt, from standard input or from the environment: never as an argument,
which `ps` shows.
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
    """A password. Raises `InvalidInput` when there is nobody to ask."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if variable and (given := os.environ.get(variable)):
        return given
    if not sys.stdin.isatty():
        ways = "--password-stdin" + (f" or {variable}" if variable else "")
        raise InvalidInput(f"There is no terminal to ask for {what}: give it with {ways}.")
    return str(
        typer.prompt(what.capitalize(), hide_input=True, confirmation_prompt=twice, err=True)
    )
