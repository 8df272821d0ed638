"""`ringtrace site`: web sites whose visitors call."""

from dataclasses import replace
from typing import Annotated

import typer
from phonenumbers import SUPPORTED_REGIONS

from router.bootstrap import now
from router.cli.collection import Collection, changes, cleared
from router.cli.opening import read_settings, with_store
from router.cli.output import AsJson, Column
from router.domain.site import Site
from router.service import setup

app = typer.Typer(help="Web sites whose visitors call.", no_args_is_help=True)

Key = Annotated[str, typer.Argument(metavar="KEY", help="1 to 40 of a-z, 0-9 and '-'.")]
Name = Annotated[str | None, typer.Option(help="As people call it.")]
Origins = Annotated[
    list[str] | None, typer.Option("--origin", help="A page that may ask for numbers, https://example.com; repeat.")
]
DefaultLine = Annotated[
    str | None,
    typer.Option("--destination", metavar="KEY", help="The default line: unknown DIDs, and numbers without their own."),
]
Region = Annotated[
    str | None, typer.Option(metavar="XX", help="How national phone numbers are read (ISO 3166, e.g. RU).")
]

sites = Collection(
    kind=Site,
    word="site",
    columns=(
        Column(title="key", whole=True),
        Column(title="name"),
        Column(title="default line"),
        Column(title="region"),
        Column(title="origins"),
    ),
    row=lambda site: (site.id, site.name, site.destination_id, site.region, site.origins),
)


@app.command("add")
def add(
    key: Key,
    name: Name = None,
    origin: Origins = None,
    destination: DefaultLine = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Add a site; its name is its key unless given."""
    settings = read_settings()
    site = Site(
        id=key,
        name=name or key,
        origins=tuple(origin or ()),
        destination_id=destination,
        region=check_region(region or settings.region),
        created_at=now(),
    )
    sites.tell(with_store(lambda store: setup.add(store, site), settings), "added", as_json)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Every site."""
    sites.find(as_json)


@app.command("change")
def change(
    key: Key,
    name: Name = None,
    origin: Origins = None,
    no_origins: Annotated[bool, typer.Option("--no-origins", help="No page may ask.")] = False,
    destination: DefaultLine = None,
    no_destination: Annotated[bool, typer.Option("--no-destination", help="No default line.")] = False,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Change what is given; --origin replaces all origins."""
    chosen = changes(name=name, destination_id=destination, region=check_region(region) if region else None)
    if origin or no_origins:
        chosen["origins"] = () if no_origins else tuple(origin or ())
    site = replace(sites.get(key), **(chosen | cleared(destination_id=no_destination)))
    sites.tell(with_store(lambda store: setup.change(store, site)), "changed", as_json)


def check_region(text: str) -> str:
    """A region that phone numbers can be read in. Raises a usage error."""
    region = text.upper()
    if region not in SUPPORTED_REGIONS:
        raise typer.BadParameter(f"'{text[:20]}' is not a region: write two letters of ISO 3166, e.g. RU")
    return region


sites.add_show(app)
sites.add_remove(app)
