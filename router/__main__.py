"""The command `ringtrace`."""

import gc
import sys

from router.errors import RingtraceError


def main() -> None:
    """Run the command line; errors for people carry no traceback."""
    # almost nothing that is imported is garbage, and looking for it takes a fifth of the start
    gc.disable()
    from router.cli import app
    from router.cli.output import print_error

    gc.enable()
    try:
        app()
    except RingtraceError as error:
        print_error(error.message)
        sys.exit(1)


if __name__ == "__main__":
    main()
