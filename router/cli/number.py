"""`ringtrace number`: tracking numbers, one by one or from a CSV file."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from router.bootstrap import now
from router.cli.collection import Collection, changes, cleared
from router.cli.opening import with_store
from router.cli.output import (
    WIDE,
    AsJson,
    Column,
    note,
    phone,
    print_json,
    print_table,
    progress,
    say,
    short_moment,
)
from router.config import Settings
from router.domain.phone import parse_number
from router.domain.visitors.site import NumberKind, Site, TrackingNumber
from router.errors import InvalidInput
from router.service.admin import setup
from router.service.admin.setup import Import

app = typer.Typer(help="Tracking numbers.", no_args_is_help=True)

Number = Annotated[
    str, typer.Argument(metavar="NUMBER", help="In any format of its country: 8 495 123-45-67.")
]
PoolKey = Annotated[
    str | None,
    typer.Option(
        "--pool",
        metavar="KEY",
        help="Make the number dynamic, leased from this pool; default: static.",
    ),
]
Line = Annotated[
    str | None,
    typer.Option(
        "--destination", metavar="KEY", help="Destination of its calls, instead of the site's."
    ),
]
Channel = Annotated[str | None, typer.Option(help="Channel of a static number, e.g. billboard.")]
SiteKey = Annotated[str, typer.Option("--site", metavar="KEY", help="The site it belongs to.")]


def _row(number: TrackingNumber) -> Sequence[Any]:
    moment = now()
    leased = None
    if number.free_at > moment:
        leased = short_moment(number.free_at, moment)

    if number.kind is NumberKind.DYNAMIC:
        where = number.pool_id
    else:
        where = number.channel

    return (
        phone(number.e164),
        number.site_id,
        number.kind,
        where,
        number.destination_id,
        leased,
        number.unattributed_calls or None,
    )


def _parse(text: str, settings: Settings) -> str:
    return parse_number(text, settings.region)


numbers = Collection(
    kind=TrackingNumber,
    word="number",
    columns=(
        Column(title="number", whole=True),
        Column(title="site"),
        Column(title="kind"),
        Column(title="pool or channel"),
        Column(title="destination"),
        Column(title="leased until"),
        Column(title="unattributed", least=WIDE, right=True),
    ),
    row=_row,
    metavar="NUMBER",
    key=_parse,
)


@app.command("add")
def add(
    number: Number,
    site: SiteKey,
    pool: PoolKey = None,
    destination: Line = None,
    channel: Channel = None,
    as_json: AsJson = False,
) -> None:
    """Add a number: dynamic with --pool, otherwise static."""

    async def work(store: Any) -> TrackingNumber:
        region = (await setup.get_one(store, Site, site)).region
        return await setup.add(
            store,
            TrackingNumber(
                e164=parse_number(number, region),
                site_id=site,
                kind=NumberKind.DYNAMIC if pool else NumberKind.STATIC,
                pool_id=pool,
                destination_id=destination,
                channel=channel,
                free_at=now(),
                created_at=now(),
            ),
        )

    numbers.tell(with_store(work), "added", as_json)


@app.command("list")
def list_(
    site: Annotated[str | None, typer.Option(metavar="KEY", help="Filter by site.")] = None,
    pool: Annotated[str | None, typer.Option(metavar="KEY", help="Filter by pool.")] = None,
    kind: Annotated[
        NumberKind | None, typer.Option(help="Only static or only dynamic numbers.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List all numbers with the end of their leases."""
    wanted = changes(site_id=site, pool_id=pool)
    found = with_store(lambda store: setup.list_all(store, TrackingNumber, **wanted))
    numbers.print_all((number for number in found if kind in {None, number.kind}), as_json)


@app.command("change")
def change(
    number: Number,
    pool: PoolKey = None,
    static: Annotated[bool, typer.Option("--static", help="Remove it from its pool.")] = False,
    destination: Line = None,
    no_destination: Annotated[
        bool, typer.Option("--no-destination", help="Use the pool's or the site's destination.")
    ] = False,
    channel: Channel = None,
    no_channel: Annotated[bool, typer.Option("--no-channel", help="Remove its channel.")] = False,
    as_json: AsJson = False,
) -> None:
    """Change a number. To move it to another site, remove it and add it there."""
    if pool and static:
        raise typer.BadParameter("a number is either in a pool or static")
    chosen = changes(pool_id=pool, destination_id=destination, channel=channel)
    chosen |= cleared(pool_id=static, destination_id=no_destination, channel=no_channel)
    if pool or static:
        if pool:
            chosen["kind"] = NumberKind.DYNAMIC
        else:
            chosen["kind"] = NumberKind.STATIC
    changed = replace(numbers.get(number), **chosen)
    numbers.tell(with_store(lambda store: setup.change(store, changed)), "changed", as_json)


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.csv", help="- reads standard input.", allow_dash=True)
    ],
    site: SiteKey,
    partly: Annotated[
        bool, typer.Option("--partly", help="Add the good lines although others are bad.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add the numbers of a CSV file (UTF-8 or UTF-16, else Windows-1251).

    Its first line names the columns, separated by comma, semicolon or tab: number, pool,
    destination, channel; only number is needed. Each bad line is reported. If there is one, nothing
    is added and the exit status is 1; with --partly the good lines are added, and the status is 1
    only if there was none.
    """
    text = _text(file)
    with progress(known=False) as bar:
        bar.add_task("Adding numbers")
        done = with_store(
            lambda store: setup.import_numbers(store, text, site_id=site, now=now(), partly=partly)
        )
    if as_json:
        print_json(
            {
                "added": [number.e164 for number in done.added],
                "bad": [_bad(line, text) for line in done.bad],
            }
        )
    else:
        _report(done, text, partly=partly)
    if done.bad and not done.added:
        raise typer.Exit(1)


def _text(file: Path) -> str:
    """The file's text. Raises `InvalidInput` when it cannot be read."""
    try:
        if str(file) == "-":
            data = sys.stdin.buffer.read()
        else:
            data = file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}") from error
    try:
        return setup.read_text(data)
    except UnicodeDecodeError:
        note(f"{file} is not UTF-8; it is read as Windows-1251.")
    try:
        return data.decode("cp1251")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{file} is neither UTF-8 nor Windows-1251: save it as CSV in UTF-8"
        ) from error


def _bad(bad: setup.BadLine, text: str) -> dict[str, Any]:
    """A bad line with its text from the file."""
    lines = text.splitlines()
    return {
        "line": bad.line,
        "text": lines[bad.line - 1] if bad.line <= len(lines) else bad.text,
        "reason": bad.reason,
    }


def _report(done: Import, text: str, *, partly: bool) -> None:
    columns = (Column(title="line", right=True), Column(title="text"), Column(title="reason"))
    if done.bad:
        print_table(columns, (tuple(_bad(bad, text).values()) for bad in done.bad))
    if done.bad and not partly:
        note(
            f"Nothing was added: {len(done.bad)} bad. Correct them, or use --partly to add the "
            "good ones."
        )
    else:
        say(f"Added: {len(done.added)}. Bad: {len(done.bad)}.")


numbers.add_show(app)
numbers.add_remove(app)
