"""`ringtrace call missed`: callers who have to be called back."""

from typing import Annotated, Any

import typer

from router.bootstrap import now
from router.cli.opening import with_store
from router.cli.output import (
    WIDE,
    WIDER,
    AsJson,
    Column,
    duration,
    note,
    phone,
    plain,
    print_json,
    print_table,
    short_moment,
)
from router.domain.calls.missed import MissedCaller
from router.service.calls import missed_tasks as tasks

_COLUMNS = (
    Column(title="since", whole=True),
    Column(title="id", whole=True),
    Column(title="caller", whole=True),
    Column(title="name", least=WIDE, most=15),
    Column(title="calls", right=True),
    Column(title="state"),
    Column(title="waits", right=True),
    Column(title="taken by", least=WIDE),
    Column(title="note", least=WIDER, most=40),
)


def missed(
    site: Annotated[str | None, typer.Option(metavar="KEY", help="Filter by site.")] = None,
    closed: Annotated[
        bool, typer.Option("--closed", help="List callers whose task is closed.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Number of closed ones.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Continue after the previous list.")] = None,
    as_json: AsJson = False,
) -> None:
    """List missed callers to be called back, the longest waiting first; one per caller and site."""
    following = None
    if closed:
        page = with_store(
            lambda store: tasks.closed_tasks(store, site_id=site, cursor=cursor, limit=limit)
        )
        found, following = page.tasks, page.next_cursor
    else:
        found = with_store(lambda store: tasks.open_tasks(store, now(), site)).all()
    if as_json:
        print_json({"missed": [_as_json(task) for task in found], "next_cursor": following})
        return
    print_table(_COLUMNS, (_row(task) for task in found), empty="No missed callers.")
    if following:
        note(f"More: --cursor '{following}'")


def _row(task: MissedCaller) -> tuple[Any, ...]:
    end = task.closed_at or now()
    state = task.state(now()).replace("_", " ")
    if task.closed_at is None and task.short:
        state += ", hung up early"
    return (
        short_moment(task.since, now()),
        task.id,
        phone(task.caller, task.caller_raw)[:20] or "anonymous",
        task.caller_name,
        task.calls,
        state if task.caller else f"{state}, cannot be called back",
        duration((end - task.waits_from).total_seconds()),
        task.taken_by or "",
        task.note,
    )


def _as_json(task: MissedCaller) -> dict[str, Any]:
    more = {"state": task.state(now()), "seconds_to_contact": task.seconds_to_contact}
    return {**plain(task, without={"reports", "closed_as", "latest_at"}), **plain(more)}
