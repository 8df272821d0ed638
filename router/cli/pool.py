"""`ringtrace pool`: the dynamic numbers that a site's visitors are leased from."""

from dataclasses import replace
from typing import Annotated, Any

import typer

from router.bootstrap import now
from router.cli import pool_plan
from router.cli.collection import Collection, changes, cleared
from router.cli.opening import with_store
from router.cli.output import WIDE, AsJson, Column
from router.domain.phone import parse_number
from router.domain.visitors.site import Pool, Site
from router.service.admin import setup
from router.service.ports import Store

app = typer.Typer(help="Pools: the numbers leased to a site's visitors.", no_args_is_help=True)

Key = Annotated[str, typer.Argument(metavar="KEY", help="1 to 40 of a-z, 0-9 and '-'.")]
Name = Annotated[str | None, typer.Option(help="Display name.")]
Line = Annotated[
    str | None,
    typer.Option(
        "--destination", metavar="KEY", help="Destination of its calls, instead of the site's."
    ),
]
Hold = Annotated[
    int | None,
    typer.Option(metavar="SECONDS", help="How long a lease lasts after the last heartbeat (1800)."),
]
Freeze = Annotated[
    int | None,
    typer.Option(
        metavar="SECONDS", help="The part of that time after the visitor has left (1500)."
    ),
]
Replaces = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NUMBER",
        help="Company number on the pages to replace; repeat.",
    ),
]
Selector = Annotated[
    str | None,
    typer.Option(
        metavar="CSS",
        help="CSS selector of elements that show the number, whatever their text; '': none.",
    ),
]
OnRequest = Annotated[
    bool | None,
    typer.Option("--on-request/--always", help="Lease only when the visitor asks for the number."),
]
Regions = Annotated[
    list[str] | None,
    typer.Option(
        "--region",
        metavar="NAME",
        help="Region whose visitors get this pool, in English; repeat.",
    ),
]
FreeAfterCall = Annotated[
    bool | None,
    typer.Option(
        "--free-after-call/--keep-after-call",
        help="A number is free as soon as its caller has hung up.",
    ),
]
Budget = Annotated[
    int | None,
    typer.Option(
        "--leases-per-hour",
        min=1,
        metavar="COUNT",
        help="Limit of leases per hour; default: no limit.",
    ),
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
        Column(title="leased", least=WIDE),
        Column(title="replaces", least=WIDE),
    ),
    row=lambda p: (
        p.id,
        p.site_id,
        p.name,
        p.destination_id,
        p.hold_seconds,
        p.freeze_seconds,
        "on request" if p.on_request else "always",
        p.replaces or None,
    ),
)


@app.command("add")
def add(
    key: Key,
    site: Annotated[str, typer.Option(metavar="KEY", help="The site whose visitors it serves.")],
    name: Name = None,
    destination: Line = None,
    hold: Hold = None,
    freeze: Freeze = None,
    replaces: Replaces = None,
    selector: Selector = None,
    on_request: OnRequest = None,
    region: Regions = None,
    free_after_call: FreeAfterCall = None,
    leases_per_hour: Budget = None,
    as_json: AsJson = False,
) -> None:
    """Add a pool; add numbers with `ringtrace number add --pool`."""
    chosen = changes(
        destination_id=destination, hold_seconds=hold, freeze_seconds=freeze, selector=selector
    )
    chosen |= changes(
        on_request=on_request, free_after_call=free_after_call, leases_per_hour=leases_per_hour
    )

    async def work(store: Store) -> Pool:
        numbers = await _own_numbers(store, site, replaces)
        return await setup.add(
            store,
            Pool(
                id=key,
                site_id=site,
                name=name or key,
                replaces=numbers,
                regions=tuple(region or ()),
                created_at=now(),
                **chosen,
            ),
        )

    pools.tell(with_store(work), "added", as_json)


@app.command("list")
def list_(
    site: Annotated[str | None, typer.Option(metavar="KEY", help="Filter by site.")] = None,
    as_json: AsJson = False,
) -> None:
    """List all pools."""
    pools.find(as_json, site_id=site)


@app.command("change")
def change(
    key: Key,
    name: Name = None,
    destination: Line = None,
    no_destination: Annotated[
        bool, typer.Option("--no-destination", help="Use the site's default line.")
    ] = False,
    hold: Hold = None,
    freeze: Freeze = None,
    replaces: Replaces = None,
    no_replaces: Annotated[bool, typer.Option("--no-replaces", help="Replace no numbers.")] = False,
    selector: Selector = None,
    on_request: OnRequest = None,
    region: Regions = None,
    no_regions: Annotated[
        bool, typer.Option("--no-regions", help="For visitors from all regions.")
    ] = False,
    free_after_call: FreeAfterCall = None,
    leases_per_hour: Budget = None,
    no_budget: Annotated[
        bool, typer.Option("--no-budget", help="No limit of leases per hour.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Change a pool; --replaces and --region replace all values.

    Current leases keep their times until the next heartbeat.
    """
    chosen: dict[str, Any] = changes(
        name=name, destination_id=destination, hold_seconds=hold, freeze_seconds=freeze
    )
    chosen |= changes(selector=selector, on_request=on_request, free_after_call=free_after_call)
    chosen |= changes(leases_per_hour=leases_per_hour)
    chosen |= cleared(destination_id=no_destination, leases_per_hour=no_budget)
    if region or no_regions:
        if no_regions:
            chosen["regions"] = ()
        else:
            chosen["regions"] = tuple(region or ())

    async def work(store: Store) -> Pool:
        pool = await setup.get_one(store, Pool, key)
        if replaces or no_replaces:
            if no_replaces:
                chosen["replaces"] = ()
            else:
                chosen["replaces"] = await _own_numbers(store, pool.site_id, replaces)
        return await setup.change(store, replace(pool, **chosen))

    pools.tell(with_store(work), "changed", as_json)


async def _own_numbers(store: Store, site: str, typed: list[str] | None) -> tuple[str, ...]:
    """The company's numbers in E.164, read as its site's country writes them."""
    region = (await setup.get_one(store, Site, site)).region
    return tuple(dict.fromkeys(parse_number(text, region) for text in typed or ()))


app.command("plan")(pool_plan.plan)
pools.add_show(app)
pools.add_remove(app)
