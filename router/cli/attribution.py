"""`ringtrace attribution`: trains a site's model and attributes past calls again."""

from datetime import datetime
from typing import Annotated

import typer

from router.bootstrap import now
from router.cli.moments import FORMS, parse_moment
from router.cli.opening import with_store
from router.cli.output import WIDE, AsJson, Column, print_json, print_table, say, short_moment
from router.domain.calls.call import Call
from router.domain.visitors.site import Site
from router.service.admin.setup import list_all
from router.service.calls.replay import Change, replay
from router.service.calls.training import train_site
from router.service.ids import ids_of
from router.store.engine import SqlStore

app = typer.Typer(
    help="Attribution: train the model, attribute past calls again.",
    no_args_is_help=True,
)

OneSite = Annotated[str | None, typer.Option("--site", metavar="KEY", help="This site only.")]
Since = Annotated[
    datetime, typer.Option("--from", parser=parse_moment, metavar="TIME", help=f"{FORMS}.")
]
Certainty = Annotated[
    float | None,
    typer.Option(
        min=0, max=1, help="Probability from which a visitor is named, instead of the site's."
    ),
]


@app.command("learn")
def learn(site: OneSite = None, as_json: AsJson = False) -> None:
    """Train a site's model on its calls of 90 days; the worker does this daily."""

    async def work(store: SqlStore) -> dict[str, int]:
        if site:
            keys = [site]
        else:
            keys = ids_of(await list_all(store, Site))

        return {key: (await train_site(store, key, now())).calls for key in keys}

    taught = with_store(work)
    if as_json:
        print_json({"calls": taught})
        return
    for key, calls in taught.items():
        say(
            f"The site {key} was trained on {calls} calls."
            if calls
            else f"The site {key} has no calls yet."
        )


@app.command("replay")
def replay_(
    since: Since,
    site: OneSite = None,
    certainty: Certainty = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Save the changes; without it nothing is saved.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Attribute past calls again with what is known now, and show which results change."""
    total, changes = with_store(
        lambda store: replay(store, since, now(), site_id=site, certainty=certainty, keep=keep)
    )
    if as_json:
        print_json({"calls": total, "changed": changes, "kept": keep})
        return
    columns = (
        Column(title="call", whole=True, least=WIDE),
        Column(title="arrived"),
        Column(title="was"),
        Column(title="is"),
        Column(title="visitor was", least=WIDE),
        Column(title="visitor is"),
    )
    print_table(columns, (_row(change) for change in changes), empty="No call gets another result.")
    done = "nothing was saved; --keep saves the changes"
    if keep:
        done = "the changes were saved"

    say(f"{len(changes)} of {total} calls get another result; {done}.")


def _row(change: Change) -> tuple[object, ...]:
    before, after = change.before, change.after
    arrived = short_moment(before.arrived_at, now())
    return before.id, arrived, _said(before), _said(after), before.visitor_id, after.visitor_id


def _said(call: Call) -> str:
    probability = ""
    if call.probability is not None:
        probability = f" {call.probability:.0%}"

    return f"{call.verdict or '–'}{probability}"
