"""`ringtrace words`: lists of words that become marks and tags when they are said."""

from typing import Annotated

import typer

from router.bootstrap import now
from router.cli.collection import Collection
from router.cli.opening import with_store
from router.cli.output import AsJson, Column
from router.domain.calls.tagging import tag_name
from router.domain.calls.transcript import Side
from router.domain.calls.word_list import WordList
from router.service.admin import setup

app = typer.Typer(
    help="Word lists: calls in which a listed word is said get marks and tags.",
    no_args_is_help=True,
)

lists = Collection(
    kind=WordList,
    word="list",
    group="words",
    columns=(
        Column(title="key", whole=True),
        Column(title="tag"),
        Column(title="site"),
        Column(title="side"),
        Column(title="words"),
    ),
    row=lambda found: (
        found.id,
        found.tag,
        found.site_id or "every site",
        found.side or "both",
        ", ".join(found.phrases),
    ),
)
lists.add_show(app)
lists.add_remove(app)


@app.command("add")
def add(
    key: Annotated[str, typer.Argument(metavar="KEY", help="1 to 40 of a-z, 0-9 and '-'.")],
    phrases: Annotated[
        list[str], typer.Argument(metavar="WORD", help="A word or a phrase, in any form; repeat.")
    ],
    tag: Annotated[str, typer.Option(help="Tag of calls in which one of them is said.")] = "",
    site: Annotated[
        str | None, typer.Option(metavar="KEY", help="Calls of this site only.")
    ] = None,
    side: Annotated[Side | None, typer.Option(help="Who says it; both without this.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add a list. It applies to calls that are transcribed from now on."""
    added = WordList(
        id=key,
        tag=tag_name(tag or key),
        phrases=tuple(dict.fromkeys(phrases)),
        site_id=site,
        side=side,
        created_at=now(),
    )
    lists.tell(with_store(lambda store: setup.add(store, added)), "added", as_json)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List all word lists."""
    lists.find(as_json)
