"""The command `ringtrace`."""

import sys

from rich.console import Console

from router.cli import app
from router.errors import RingtraceError


def main() -> None:
    """Run the command line; errors for people carry no traceback."""
    try:
        app()
    except RingtraceError as error:
        Console(stderr=True).print(f"[red]Error:[/] {error.message}", highlight=False, markup=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
