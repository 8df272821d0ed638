"""Missed callers: list, contact, take, note, close."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query

from router.domain.access import Scope, Token
from router.domain.calls.missed_events import EventKind
from router.errors import Conflict, NotAllowed, NotFound
from router.service.calls import missed_tasks as tasks
from router.web.api.calls import sealed, unsealed
from router.web.api.models.missed import CallBack, Decision, MissedCaller, MissedList, Note, Taker
from router.web.deps import NotLoggedIn, Now, StoreOf, needs
from router.web.error_handlers import answers

router = APIRouter(
    prefix="/missed",
    tags=["missed"],
    responses=answers(NotFound, Conflict, NotLoggedIn, NotAllowed),
)
READ = [Depends(needs(Scope.CALLS_READ))]
WRITE = [Depends(needs(Scope.CALLS_WRITE))]
Writer = Annotated[Token, Depends(needs(Scope.CALLS_WRITE))]
TaskId = Annotated[str, Path(max_length=64, description="The task's id.")]


@router.get("", dependencies=READ)
async def list_missed(
    store: StoreOf,
    now: Now,
    state: Annotated[Literal["open", "closed"], Query(description="To be done, or done.")] = "open",
    site_id: Annotated[str | None, Query(max_length=40, description="Of this site.")] = None,
    cursor: Annotated[
        str | None, Query(max_length=400, description="`next_cursor` of the previous answer.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="How many closed ones at once.")] = 50,
) -> MissedList:
    """Missed callers: one per caller and site, however often they called."""
    if state == "open":
        found, following = (await tasks.open_tasks(store, now, site_id)).all(), None
        found = tuple(sorted(found, key=lambda task: (task.waits_from, task.id)))
    else:
        page = await tasks.closed_tasks(
            store, site_id=site_id, cursor=unsealed(cursor), limit=limit
        )
        found, following = page.tasks, page.next_cursor
    return MissedList(
        missed=tuple(MissedCaller.of_task(task, now) for task in found),
        next_cursor=sealed(following),
    )


@router.get("/{task_id}", dependencies=READ)
async def get_missed(store: StoreOf, now: Now, task_id: TaskId) -> MissedCaller:
    """One missed caller."""
    return MissedCaller.of_task(await tasks.show_task(store, task_id), now)


@router.post("/{task_id}/contact")
async def contact(
    store: StoreOf, now: Now, token: Writer, task_id: TaskId, made: CallBack
) -> MissedCaller:
    """Report a call back that Ringtrace has not seen, because the company's own telephone system
    made it.
    """
    kind = EventKind.NOT_ANSWERED
    if made.answered:
        kind = EventKind.REACHED

    task = await tasks.report(
        store, task_id, kind, by=made.by or token.name, now=now, at=made.at, key=made.key
    )
    return MissedCaller.of_task(task, now)


@router.post("/{task_id}/close")
async def close(
    store: StoreOf, now: Now, token: Writer, task_id: TaskId, decision: Decision
) -> MissedCaller:
    """Close a task without a contact."""
    kind = EventKind(decision.reason)
    task = await tasks.report(store, task_id, kind, by=decision.by or token.name, now=now)
    return MissedCaller.of_task(task, now)


@router.post("/{task_id}/reopen", dependencies=WRITE)
async def reopen(store: StoreOf, now: Now, task_id: TaskId) -> MissedCaller:
    """Open a closed task again."""
    return MissedCaller.of_task(await tasks.reopen(store, task_id), now)


@router.post("/{task_id}/take", dependencies=WRITE)
async def take(store: StoreOf, now: Now, task_id: TaskId, taker: Taker) -> MissedCaller:
    """Say who calls back; 409 if another person does."""
    return MissedCaller.of_task(await tasks.take(store, task_id, taker.by, now), now)


@router.post("/{task_id}/release", dependencies=WRITE)
async def release(store: StoreOf, now: Now, task_id: TaskId) -> MissedCaller:
    """Clear who calls back."""
    return MissedCaller.of_task(await tasks.release(store, task_id), now)


@router.put("/{task_id}/note", dependencies=WRITE)
async def set_note(store: StoreOf, now: Now, task_id: TaskId, body: Note) -> MissedCaller:
    """Replace the note."""
    return MissedCaller.of_task(await tasks.set_note(store, task_id, body.note), now)
