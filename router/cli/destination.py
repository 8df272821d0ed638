"""`ringtrace destination`: where calls go, step by step."""

from dataclasses import replace
from typing import Annotated

import typer

from router.bootstrap import now
from router.cli.collection import Collection, changes
from router.cli.opening import with_store
from router.cli.output import WIDE, AsJson, Column
from router.domain.visitors.site import Destination, Step
from router.service.admin import setup

app = typer.Typer(
    help="Destinations: where calls go, in steps that are tried in order.",
    no_args_is_help=True,
)

RING_SECONDS = 30

Key = Annotated[str, typer.Argument(metavar="KEY", help="1 to 40 of a-z, 0-9 and '-'.")]
Name = Annotated[str | None, typer.Option(help="Display name.")]
Steps = Annotated[
    list[str] | None,
    typer.Option(
        "--step",
        metavar="DIAL[:SECONDS]",
        help=(
            "PJSIP/company, or PJSIP/+74950000000@carrier:20 with the ring time in seconds "
            f"(default {RING_SECONDS}), or Local/600@ext-queues, an extension of this Asterisk's "
            "dialplan; join dial strings with & to ring together; repeat for the next step."
        ),
    ),
]
ClientId = Annotated[
    bool | None,
    typer.Option(
        "--send-client-id/--no-send-client-id",
        help="Send the header X-Google-Client-ID to the company.",
    ),
]
Source = Annotated[
    bool | None,
    typer.Option(
        "--send-source/--no-send-source", help="Show the visit's source before the caller's name."
    ),
]
Transfer = Annotated[
    bool | None,
    typer.Option(
        "--dtmf-transfer/--no-dtmf-transfer",
        help="Transfer with ## (blind) and *2 (attended) on the company's phone.",
    ),
]

destinations = Collection(
    kind=Destination,
    word="destination",
    columns=(
        Column(title="key", whole=True),
        Column(title="name"),
        Column(title="steps"),
        Column(title="client id", least=WIDE),
        Column(title="source", least=WIDE),
        Column(title="dtmf transfer", least=WIDE),
    ),
    row=lambda d: (d.id, d.name, d.steps, d.send_client_id, d.send_source, d.dtmf_transfer),
)


def parse_step(text: str) -> Step:
    """`PJSIP/company` or `PJSIP/company:20`. Raises `InvalidInput`."""
    dial, colon, seconds = text.rpartition(":")
    if not (colon and seconds.isascii() and seconds.isdigit()):
        return Step(dial=text, ring_seconds=RING_SECONDS)
    return Step(dial=dial, ring_seconds=int(seconds[:6]))


@app.command("add")
def add(
    key: Key,
    step: Annotated[list[str], *Steps.__metadata__],
    name: Name = None,
    send_client_id: ClientId = None,
    send_source: Source = None,
    dtmf_transfer: Transfer = None,
    as_json: AsJson = False,
) -> None:
    """Add a destination; its name is its key unless given."""
    destination = Destination(
        id=key,
        name=name or key,
        steps=tuple(parse_step(text) for text in step),
        send_client_id=bool(send_client_id),
        send_source=bool(send_source),
        dtmf_transfer=bool(dtmf_transfer),
        created_at=now(),
    )
    destinations.tell(with_store(lambda store: setup.add(store, destination)), "added", as_json)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List all destinations."""
    destinations.find(as_json)


@app.command("change")
def change(
    key: Key,
    step: Steps = None,
    name: Name = None,
    send_client_id: ClientId = None,
    send_source: Source = None,
    dtmf_transfer: Transfer = None,
    as_json: AsJson = False,
) -> None:
    """Change a destination; --step replaces all steps."""
    chosen = changes(
        name=name,
        steps=tuple(parse_step(text) for text in step) if step else None,
        send_client_id=send_client_id,
        send_source=send_source,
        dtmf_transfer=dtmf_transfer,
    )
    destination = replace(destinations.get(key), **chosen)
    destinations.tell(
        with_store(lambda store: setup.change(store, destination)), "changed", as_json
    )


destinations.add_show(app)
destinations.add_remove(app)
