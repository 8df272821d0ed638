"""`ringtrace demo`: makes one call, prints its facts, keeps the system running."""

from typing import Annotated

import typer


def demo(
    once: Annotated[
        bool,
        typer.Option(
            "--once", help="Exit after the call, with status 0 only if every fact is right."
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the facts as one JSON object.")
    ] = False,
) -> None:
    """Make one call from end to end and show the result; then fill an invented month."""
    # phones, a browser and a web server, which would hold up the start of every other command
    from router.cli.demo_call import make_call

    make_call(once=once, as_json=as_json)
