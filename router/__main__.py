"""The command `ringtrace`."""

import sys

from router.cli import app
from router.cli.output import print_error
from router.errors import RingtraceError


def main() -> None:
    """Run the command line; errors for people carry no traceback."""
    try:
        app()
    except RingtraceError as error:
        print_error(error.message)
        sys.exit(1)


if __name__ == "__main__":
    main()
