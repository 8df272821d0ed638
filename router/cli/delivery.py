"""`ringtrace delivery`: what is sent to CRMs, analytics services and webhooks."""

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
app = typer.Typer(help="Deliveries to CRMs, analytics services and webhooks.", no_args_is_help=True)


@app.command("list")
def list_(
    state: Annotated[DeliveryState | None, typer.Option(help="Filter by state.")] = None,
    call: Annotated[str | None, typer.Option(metavar="CALL_ID", help="Filter by call.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Number of deliveries.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List deliveries, newest first."""
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
    print_table(columns, (_row(delivery) for delivery in found), empty="No matching deliveries.")


def _row(d: Delivery) -> tuple[Any, ...]:
    return (
        d.id,
        short_moment(d.created_at, now()),
        d.receiver_id,
        d.kind,
        d.call_id,
        d.state,
        d.attempts,
        str(d.answer or "")[:120],
    )


@app.command("show")
def show(
    delivery_id: Annotated[
        str, typer.Argument(metavar="ID", help="See `ringtrace delivery list`.")
    ],
    as_json: AsJson = False,
) -> None:
    """Show one delivery with its payload."""
    delivery = with_store(lambda store: service.show_delivery(store, delivery_id))
    if as_json:
        print_json(delivery)
        return
    print_record(
        delivery, without={"candidates"} | ({"chosen"} if delivery.chosen is None else set())
    )
    print_candidates(delivery.candidates)
    if delivery.state is DeliveryState.NEEDS_REVIEW:
        note(f"It needs review: `ringtrace delivery choose {delivery.id} KIND ENTITY_ID`")


@app.command("choose")
def choose(
    delivery_id: Annotated[
        str, typer.Argument(metavar="ID", help="See `ringtrace delivery list`.")
    ],
    kind: Annotated[
        EntityKind, typer.Argument(metavar="KIND", help="contact, company, lead or deal.")
    ],
    entity_id: Annotated[
        str,
        typer.Argument(
            metavar="ENTITY_ID", help="The record's ID in the CRM; a candidate or any other."
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Choose the CRM record of a delivery that needs review; it gets the client ID even if the
    field is not empty.
    """
    if not _ENTITY_ID.fullmatch(entity_id):
        raise typer.BadParameter(
            f"'{entity_id[:40]}' is not an ID: use up to 80 letters, digits and . : _ -"
        )
    ref = Ref(kind=kind, id=entity_id)
    delivery = with_store(lambda store: manage.choose_entity(store, delivery_id, ref, now()))
    if as_json:
        print_json(delivery)
    else:
        say(
            f"The worker will write the client ID into {kind} {entity_id} of "
            f"{delivery.receiver_id}."
        )


@app.command("dismiss")
def dismiss(
    delivery_id: Annotated[
        str, typer.Argument(metavar="ID", help="See `ringtrace delivery list`.")
    ],
    as_json: AsJson = False,
) -> None:
    """Dismiss a delivery: it is not sent, even if more becomes known."""
    delivery = with_store(lambda store: manage.drop_delivery(store, delivery_id, now()))
    if as_json:
        print_json(delivery)
    else:
        say(
            f"Nothing is sent to {delivery.receiver_id}. `ringtrace delivery resend "
            f"{delivery.id}` undoes this."
        )


@app.command("resend")
def resend(
    delivery_ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="See `ringtrace delivery list`.")
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Every failed delivery.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send again with the same key, so that a receiver recognises a repetition."""
    if bool(delivery_ids) == failed:
        raise typer.BadParameter("give the IDs of deliveries, or --failed for all that failed")
    with progress(known=False) as bar:
        bar.add_task("Resending")
        if failed:
            count = with_store(lambda store: manage.resend_failed(store, now()))
        else:
            count = _resend(delivery_ids or [])
    if as_json:
        print_json({"resent": count})
    else:
        say(f"Queued to be sent again: {count}.")


def _resend(ids: list[str]) -> int:
    async def work(store: Store) -> int:
        for delivery_id in ids:
            await manage.resend_delivery(store, delivery_id, now())
        return len(ids)

    return with_store(work)
