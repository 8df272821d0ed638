"""`ringtrace delivery`: what was told to other systems, and what they would not take."""

import re
from typing import Annotated, Any

import typer

from router.bootstrap import now
from router.cli.crm_account import print_candidates
from router.cli.opening import with_store
from router.cli.output import (
    WIDE,
    WIDER,
    AsJson,
    Column,
    note,
    print_json,
    print_record,
    print_table,
    progress,
    say,
    short_moment,
)
from router.domain.delivery.delivery import Delivery, DeliveryState
from router.domain.delivery.entity import EntityKind, Ref
from router.service.delivery import dispatch as service
from router.service.delivery import manage
from router.service.ports import Store

# adapters put it into addresses: nothing that leads elsewhere
_ENTITY_ID = re.compile(r"\w[\w.:-]{0,79}")
app = typer.Typer(help="What was told to other systems.", no_args_is_help=True)


@app.command("list")
def list_(
    state: Annotated[DeliveryState | None, typer.Option(help="In this state alone.")] = None,
    call: Annotated[str | None, typer.Option(metavar="CALL_ID", help="Of this call alone.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    as_json: AsJson = False,
) -> None:
    """Deliveries, the newest first."""
    found = with_store(
        lambda store: service.list_deliveries(store, state=state, call_id=call, limit=limit)
    )
    if as_json:
        print_json(found)
        return
    columns = (
        Column(title="id", whole=True),
        Column(title="created"),
        Column(title="receiver"),
        Column(title="what", least=WIDER),
        Column(title="call", least=WIDER),
        Column(title="state"),
        Column(title="tries", right=True),
        Column(title="last answer", least=WIDE),
    )
    print_table(columns, (_row(delivery) for delivery in found), empty="There is no such delivery.")


def _row(d: Delivery) -> tuple[Any, ...]:
    answer = d.last_error or d.receipt or ""
    return (
        d.id,
        short_moment(d.created_at, now()),
        d.receiver_id,
        d.kind,
        d.call_id,
        d.state,
        d.attempts,
        answer[:120],
    )


@app.command("show")
def show(
    delivery_id: Annotated[str, typer.Argument(metavar="ID")], as_json: AsJson = False
) -> None:
    """One delivery with what it says."""
    delivery = with_store(lambda store: service.show_delivery(store, delivery_id))
    if as_json:
        print_json(delivery)
        return
    print_record(
        delivery, without={"candidates"} | ({"chosen"} if delivery.chosen is None else set())
    )
    print_candidates(delivery.candidates)
    if delivery.state is DeliveryState.UNDECIDED:
        note(f"It waits for a person: `ringtrace delivery choose {delivery.id} KIND ENTITY_ID`")


@app.command("choose")
def choose(
    delivery_id: Annotated[str, typer.Argument(metavar="ID")],
    kind: Annotated[
        EntityKind, typer.Argument(metavar="KIND", help="contact, company, lead or deal.")
    ],
    entity_id: Annotated[
        str, typer.Argument(metavar="ENTITY_ID", help="The CRM's own; a candidate or another.")
    ],
    as_json: AsJson = False,
) -> None:
    """Say which entity is the call's; the client ID is written into it, whatever stands there."""
    if not _ENTITY_ID.fullmatch(entity_id):
        raise typer.BadParameter(
            f"'{entity_id[:40]}' is no ID: up to 80 letters, digits and . : _ -"
        )
    ref = Ref(kind=kind, id=entity_id)
    delivery = with_store(lambda store: manage.choose_entity(store, delivery_id, ref, now()))
    if as_json:
        print_json(delivery)
    else:
        say(f"The worker writes the client ID into {kind} {entity_id} of {delivery.receiver_id}.")


@app.command("drop")
def drop(
    delivery_id: Annotated[str, typer.Argument(metavar="ID")], as_json: AsJson = False
) -> None:
    """Let one be that waits or was given up: it is told neither now nor when more is found out."""
    delivery = with_store(lambda store: manage.drop_delivery(store, delivery_id, now()))
    if as_json:
        print_json(delivery)
    else:
        say(
            f"{delivery.receiver_id} is not told of it. `ringtrace delivery resend "
            f"{delivery.id}` takes that back."
        )


@app.command("resend")
def resend(
    delivery_ids: Annotated[list[str] | None, typer.Argument(metavar="ID")] = None,
    dead: Annotated[bool, typer.Option("--dead", help="Everything that was given up.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send once more, under the same key: who took it already will know it again."""
    if bool(delivery_ids) == dead:
        raise typer.BadParameter("name deliveries, or say --dead for all that were given up")
    with progress(known=False) as bar:
        bar.add_task("Resending")
        count = (
            with_store(lambda store: manage.resend_dead(store, now()))
            if dead
            else _resend(delivery_ids or [])
        )
    if as_json:
        print_json({"resent": count})
    else:
        say(f"To be sent again by the worker: {count}.")


def _resend(ids: list[str]) -> int:
    async def work(store: Store) -> int:
        for delivery_id in ids:
            await manage.resend_delivery(store, delivery_id, now())
        return len(ids)

    return with_store(work)
