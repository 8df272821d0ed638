"""Runs benchmarks and compares them with the targets: `python -m tests.bench [name …]`.

Ratios are against a baseline without Ringtrace from the same run. Each benchmark starts what it
needs in a home of its own and removes it afterwards; `--quick` makes shorter runs, which only show
that everything works.
"""

import argparse
import sys
import time
from importlib import import_module
from pathlib import Path

from router.logs import configure_logs
from tests.bench.figure import Figure, show

NAMES = ("postdial", "rate", "cpu", "playable", "encoding", "replay")
# run only when named: each takes as long as all of the above
BY_NAME = (
    "site",
    "lookup",
    "attribution",
    "strangers",
    "deliveries",
    "desk",
    "kills",
)
OF_DESK = ("directory", "only", "database")


def main() -> None:
    """Run the named benchmarks, by default all; the table shows which targets were missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument(
        "names",
        nargs="*",
        metavar="name",
        help=f"any of {', '.join(NAMES + BY_NAME)}; default: the first {len(NAMES)}",
    )
    parser.add_argument("--quick", action="store_true", help="shorter runs, rougher figures")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument(
        "--directory",
        type=Path,
        help="desk: keep its databases in this directory and use them again",
    )
    parser.add_argument("--only", default="", help="desk: requests whose name this pattern finds")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), help="desk: this one alone")
    asked = parser.parse_args()
    if unknown := set(asked.names) - {*NAMES, *BY_NAME}:
        parser.error(
            f"there is no {', '.join(sorted(unknown))}: choose from {', '.join(NAMES + BY_NAME)}"
        )
    configure_logs("error")
    figures: list[Figure] = []
    for name in asked.names or NAMES:
        began = time.monotonic()
        print(f"bench: {name} …", file=sys.stderr, flush=True)
        options = {key: getattr(asked, key) for key in OF_DESK} if name == "desk" else {}
        figures += import_module(f"tests.bench.{name}").measure(quick=asked.quick, **options)
        print(f"bench: {name} took {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    show(figures, as_json=asked.json)


if __name__ == "__main__":
    main()
