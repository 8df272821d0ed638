"""`ringtrace pool`: the dynamic numbers that a site's visitors are leased from."""

from dataclasses import replace
from typing import Annotated

import typer

from router.bootstrap import now
from router.cli.collection import Collection, changes, cleared
from router.cli.opening import with_store
from router.cli.output import AsJson, Column
from router.domain.site import Pool
from router.service import setup

app = typer.Typer(help="Numbers that a site's visitors are leased from.", no_args_is_help=True)

Key = Annotated[str, typer.Argument(metavar="KEY", help="1 to 40 of a-z, 0-9 and '-'.")]
Name = Annotated[str | None, typer.Option(help="As people call it.")]
Line = Annotated[
    str | None, typer.Option("--destination", metavar="KEY", help="Where its calls go, if not the site's.")
]
Hold = Annotated[
    int | None, typer.Option(metavar="SECONDS", help="How long a lease lasts after the last sign of life (1800).")
]
Freeze = Annotated[
    int | None, typer.Option(metavar="SECONDS", help="The part of the hold after the visitor has left (1500).")
]

pools = Collection(
    kind=Pool,
    word="pool",
    columns=(
        Column(title="key", whole=True),
        Column(title="site"),
        Column(title="name"),
        Column(title="destination"),
        Column(title="hold, s", right=True),
        Column(title="freeze, s", right=True),
    ),
    row=lambda p: (p.id, p.site_id, p.name, p.destination_id, p.hold_seconds, p.freeze_seconds),
)


@app.command("add")
def add(
    key: Key,
    site: Annotated[str, typer.Option(metavar="KEY", help="The site whose visitors it serves.")],
    name: Name = None,
    destination: Line = None,
    hold: Hold = None,
    freeze: Freeze = None,
    as_json: AsJson = False,
) -> None:
    """Add a pool; numbers come into it by `ringtrace number add --pool`."""
    chosen = changes(destination_id=destination, hold_seconds=hold, freeze_seconds=freeze)
    pool = Pool(id=key, site_id=site, name=name or key, created_at=now(), **chosen)
    pools.tell(with_store(lambda store: setup.add(store, pool)), "added", as_json)


@app.command("list")
def list_(
    site: Annotated[str | None, typer.Option(metavar="KEY", help="Of this site alone.")] = None, as_json: AsJson = False
) -> None:
    """Every pool."""
    pools.find(as_json, site_id=site)


@app.command("change")
def change(
    key: Key,
    name: Name = None,
    destination: Line = None,
    no_destination: Annotated[bool, typer.Option("--no-destination", help="The site's default line.")] = False,
    hold: Hold = None,
    freeze: Freeze = None,
    as_json: AsJson = False,
) -> None:
    """Change what is given; leases that run keep their times until the next sign of life."""
    chosen = changes(name=name, destination_id=destination, hold_seconds=hold, freeze_seconds=freeze)
    pool = replace(pools.get(key), **(chosen | cleared(destination_id=no_destination)))
    pools.tell(with_store(lambda store: setup.change(store, pool)), "changed", as_json)


pools.add_show(app)
pools.add_remove(app)
