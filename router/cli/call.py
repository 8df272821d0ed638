"""`ringtrace call`: lists calls and shows one in detail."""

from datetime import datetime
from typing import Annotated, Any

import typer

from router.bootstrap import now
from router.cli.call_export import export
from router.cli.call_facts import call_facts, recording_facts, time_text, visit_facts
from router.cli.moments import FORMS, parse_moment
from router.cli.opening import read_settings, with_store
from router.cli.output import (
    WIDE,
    WIDER,
    AsJson,
    Column,
    duration,
    moment,
    note,
    phone,
    plain,
    print_facts,
    print_json,
    print_table,
    short_moment,
)
from router.domain.attribution.terms import Verdict
from router.domain.calls.call import Call, Direction, Ending, Period, State, Transfer, endpoint
from router.domain.calls.call_filter import CallFilter
from router.domain.phone import parse_number
from router.service.calls import browse as service
from router.service.calls.browse import CallLine, CallView

app = typer.Typer(help="Calls and their attribution.", no_args_is_help=True)
app.command("export")(export)

Since = Annotated[
    datetime | None,
    typer.Option(
        parser=parse_moment, metavar="TIME", help=f"Arrived at or after this time: {FORMS}."
    ),
]
Until = Annotated[
    datetime | None,
    typer.Option(parser=parse_moment, metavar="TIME", help="Arrived before this time."),
]
SiteKey = Annotated[str | None, typer.Option("--site", metavar="KEY", help="Filter by site.")]

_COLUMNS = (
    Column(title="arrived", whole=True),
    Column(title="call", whole=True),
    Column(title="caller", whole=True),
    Column(title="name", least=WIDE, most=15),
    Column(title="number", whole=True),
    Column(title="ending"),
    Column(title="wait", least=WIDER, right=True),
    Column(title="talk", least=WIDE, right=True),
    Column(title="verdict", least=WIDE, whole=True),
    Column(title="source", least=WIDER, most=20),
    Column(title="tags", least=WIDER),
)


@app.command("list")
def list_(
    site: SiteKey = None,
    number: Annotated[str | None, typer.Option(help="Filter by tracking number.")] = None,
    caller: Annotated[str | None, typer.Option(help="Filter by the caller's number.")] = None,
    verdict: Annotated[Verdict | None, typer.Option(help="Filter by verdict.")] = None,
    ending: Annotated[Ending | None, typer.Option(help="Filter by ending.")] = None,
    state: Annotated[State | None, typer.Option(help="Filter by state.")] = None,
    direction: Annotated[Direction | None, typer.Option(help="Filter by direction.")] = None,
    tag: Annotated[str | None, typer.Option(help="Filter by tag.")] = None,
    since: Since = None,
    until: Until = None,
    text: Annotated[
        str | None, typer.Option(help="The caller's number, its first or last digits, or a name.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Number of calls.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Continue after the previous list.")] = None,
    as_json: AsJson = False,
) -> None:
    """List calls that match all options, newest first."""
    settings = read_settings()
    wanted = CallFilter(
        site_id=site,
        number=parse_number(number, settings.region) if number else None,
        caller=parse_number(caller, settings.region) if caller else None,
        verdict=verdict,
        ending=ending,
        state=state,
        direction=direction,
        tag=tag,
        since=since,
        until=until,
        text=text,
    )
    page = with_store(
        lambda store: service.find_calls(store, wanted, cursor=cursor, limit=limit), settings
    )
    if as_json:
        print_json(
            {"calls": [line_as_json(line) for line in page.lines], "next_cursor": page.next_cursor}
        )
        return
    print_table(_COLUMNS, (_row(line) for line in page.lines), empty="No matching calls.")
    if page.next_cursor:
        note(f"More calls: --cursor '{page.next_cursor}'")


def _row(line: CallLine) -> tuple[Any, ...]:
    call, visit = line.call, line.visit
    return (
        short_moment(call.arrived_at, now()),
        call.id,
        phone(call.caller, call.caller_raw)[:20] or "anonymous",
        call.caller_name,
        phone(call.number, call.did)[:20],
        call.ending or call.state,
        duration(call.wait_seconds),
        duration(call.talk_seconds) if call.answered_at else "",
        call.verdict,
        (visit.campaign or visit.source or "") if visit else call.channel or call.source or "",
        ", ".join(tag.name for tag in line.tags),
    )


def line_as_json(line: CallLine | CallView) -> dict[str, Any]:
    """A call, its tags, visit and recording; the waveform is left out."""
    recording = plain(line.recording, without={"peaks"})
    return {
        "call": plain(line.call),
        "tags": plain(line.tags),
        "visit": plain(line.visit),
        "recording": recording,
    }


@app.command("show")
def show(
    call_id: Annotated[str, typer.Argument(metavar="CALL_ID", help="See `ringtrace call list`.")],
    as_json: AsJson = False,
) -> None:
    """Show one call in detail."""
    view = with_store(lambda store: service.show_call(store, call_id))
    if as_json:
        print_json(
            line_as_json(view)
            | {name: plain(getattr(view, name)) for name in ("lease", "visitor")}
            | {"deliveries": plain(view.deliveries, without={"payload"})}
        )
        return
    print_facts(call_facts(view))
    _print_legs(view.call)
    _print_identity(view)
    if view.recording:
        print_facts(recording_facts(view.recording), title="Recording", indent=2)
    _print_deliveries(view)


def _print_legs(call: Call) -> None:
    columns = [
        Column(title=t) for t in ("leg", "channel", "step", "started", "answered", "ended", "cause")
    ]
    rows = (
        (
            g.role,
            g.channel,
            g.step or None,
            time_text(g.started_at),
            time_text(g.answered_at),
            time_text(g.ended_at),
            g.cause,
        )
        for g in call.legs
    )
    print_table(columns, rows, title="Legs", indent=2)
    _print_course(call)


def _print_course(call: Call) -> None:
    if len(call.periods) > 2:
        columns = [Column(title=title) for title in ("course", "from", "to", "length", "with")]
        rows = (
            (p.kind, time_text(p.started_at), time_text(p.ended_at), duration(p.seconds), _with(p))
            for p in call.periods
        )
        print_table(columns, rows, title="Course", indent=2)
    for transfer in call.transfers:
        print_facts((("transferred", _transfer(transfer)),), indent=2)


def _with(period: Period) -> str:
    return ", ".join(dict.fromkeys(endpoint(channel) for channel in period.channels))


def _transfer(transfer: Transfer) -> str:
    text = f"{transfer.kind} to {transfer.to}, {moment(transfer.at)}"
    if transfer.outcome is None:
        return text
    by = ""
    if transfer.answered_by:
        by = f" by {transfer.answered_by}"

    outcome = transfer.outcome.replace("_", " ")
    return f"{text}: {outcome}{by} after {duration(transfer.wait_seconds)}"


def _print_identity(view: CallView) -> None:
    if view.visitor:
        facts = (
            (n, getattr(view.visitor, n))
            for n in ("id", "ga_client_id", "ga_session_id", "ym_client_id")
        )
        print_facts(
            ((name.replace("_", " "), value) for name, value in facts), title="Visitor", indent=2
        )
    if view.visit:
        print_facts(visit_facts(view.visit), title="Visit", indent=2)
    if view.lease:
        facts = (
            (n, getattr(view.lease, n)) for n in ("pool_id", "started_at", "frozen_at", "ends_at")
        )
        names = {"pool_id": "pool", "started_at": "from", "frozen_at": "freeze", "ends_at": "to"}
        print_facts(((names[name], value) for name, value in facts), title="Lease", indent=2)


def _print_deliveries(view: CallView) -> None:
    columns = [
        Column(title=title)
        for title in ("delivery", "receiver", "what", "state", "tries", "last answer")
    ]
    rows = (
        (d.id, d.receiver_id, d.kind, d.state, d.attempts, str(d.answer or "")[:120])
        for d in view.deliveries
    )
    print_table(columns, rows, title="Deliveries", indent=2)
