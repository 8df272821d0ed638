"""The command `ringtrace` in a home of its own, run in this process: what it prints, and its exit
status.
"""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from typer import testing

from router.cli import app
from router.errors import RingtraceError

# Typer makes all commands from their signatures for each call, which takes longer than the call
testing._get_command = cache(testing._get_command)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command came out, as a shell sees it."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What is on stdout, all of it, as JSON."""
        return json.loads(self.out)


def ringtrace(*arguments: str, stdin: str | bytes | None = None, status: int | None = 0) -> Ran:
    """Run it; `status` is the exit status that is expected, None for any."""
    result = testing.CliRunner().invoke(app, list(arguments), input=stdin)
    code, err = result.exit_code, result.stderr
    if isinstance(result.exception, RingtraceError):  # router.__main__ does the same
        code, err = 1, err + result.exception.message
    elif result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    ran = Ran(status=code, out=result.stdout, err=err)
    assert status is None or ran.status == status, f"{arguments}: {ran}"
    return ran
