"""The tasks of missed callers: shown, taken, noted, and closed by people and programs."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from router.domain.calls.missed import LAPSES, MissedCaller
from router.domain.calls.missed_events import Event, EventKind
from router.errors import Conflict, InvalidInput, NotFound
from router.service.calls.browse import read_cursor, written_cursor
from router.service.calls.missed_follow import change_reports
from router.service.ports import Session, Store

MOST_OPEN = 500  # tasks of one list
LONGEST_NOTE = 4000
MOST_REPORTS = 100  # of one task
FUTURE = timedelta(minutes=1)  # clocks differ
CLOSINGS = frozenset({EventKind.NOT_NEEDED, EventKind.GIVEN_UP})


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTasks:
    """The callers to be called back, those that wait longest first."""

    waiting: tuple[MissedCaller, ...]
    outside_hours: tuple[MissedCaller, ...]
    no_number: tuple[MissedCaller, ...]  # cannot be called back
    short: tuple[MissedCaller, ...]  # hung up within 15 seconds
    revision: int

    def all(self) -> tuple[MissedCaller, ...]:
        """All of them."""
        return (*self.waiting, *self.outside_hours, *self.no_number, *self.short)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedTasks:
    """A page of the tasks that are done, the last first."""

    tasks: tuple[MissedCaller, ...]
    next_cursor: str | None


async def open_tasks(store: Store, now: datetime, site_id: str | None = None) -> OpenTasks:
    """The tasks to be done."""
    async with store.read() as session:
        revision = await session.missed.revision()
        tasks = await session.missed.open(now, site_id, MOST_OPEN)
    kinds: dict[str, list[MissedCaller]] = {}
    for task in tasks:
        kinds.setdefault(_kind(task), []).append(task)
    return OpenTasks(
        waiting=tuple(kinds.get("waiting", ())),
        outside_hours=tuple(kinds.get("outside_hours", ())),
        no_number=tuple(kinds.get("no_number", ())),
        short=tuple(kinds.get("short", ())),
        revision=revision,
    )


def _kind(task: MissedCaller) -> str:
    if task.caller is None:
        return "no_number"
    if task.short:
        return "short"
    if task.outside_hours:
        return "outside_hours"
    return "waiting"


async def closed_tasks(
    store: Store, *, site_id: str | None = None, cursor: str | None = None, limit: int = 50
) -> ClosedTasks:
    """The tasks that are done."""
    before = None
    if cursor:
        before = read_cursor(cursor)

    async with store.read() as session:
        found = await session.missed.closed(site_id, before, limit + 1)
    shown, following = tuple(found[:limit]), None
    if len(found) > limit and shown[-1].closed_at:
        following = written_cursor(shown[-1].closed_at, shown[-1].id)

    return ClosedTasks(tasks=shown, next_cursor=following)


async def count_waiting(store: Store, now: datetime) -> int:
    """How many callers have to be called back."""
    async with store.read() as session:
        return await session.missed.count_waiting(now)


async def show_task(store: Store, task_id: str) -> MissedCaller:
    """One task. Raises `NotFound`."""
    async with store.read() as session:
        return await _task(session, task_id)


async def _task(session: Session, task_id: str) -> MissedCaller:
    task = await session.peek(MissedCaller, task_id)
    if task is None:
        raise NotFound(f"There is no missed caller '{task_id}'.")
    return task


async def _change(
    store: Store, task_id: str, change: Callable[[MissedCaller], MissedCaller]
) -> MissedCaller:
    async with store.write() as session:
        await session.missed.lock()
        task = await _task(session, task_id)
        after = change(task)
        if after != task:
            await session.missed.save([after])
    return after


async def take(store: Store, task_id: str, person: str, now: datetime) -> MissedCaller:
    """`person` calls this caller back. Raises `Conflict` if another person does."""

    def taken(task: MissedCaller) -> MissedCaller:
        if task.taken_by == person:
            return task
        if task.taken_by:
            raise Conflict(f"{task.taken_by} calls this caller back already.")
        return replace(task, taken_by=person, taken_at=now)

    return await _change(store, task_id, taken)


async def release(store: Store, task_id: str) -> MissedCaller:
    """No person in particular calls this caller back."""
    return await _change(store, task_id, lambda task: replace(task, taken_by=None, taken_at=None))


async def set_note(store: Store, task_id: str, note: str) -> MissedCaller:
    """Replace the note. Raises `InvalidInput` for a longer one."""
    text = note.replace("\r\n", "\n").replace("\0", "").strip()
    if len(text) > LONGEST_NOTE:
        raise InvalidInput(f"A note has at most {LONGEST_NOTE} letters.")
    return await _change(store, task_id, lambda task: replace(task, note=text))


async def report(
    store: Store,
    task_id: str,
    kind: EventKind,
    *,
    by: str,
    now: datetime,
    at: datetime | None = None,
    key: str | None = None,
) -> MissedCaller:
    """Report a contact, an attempt or a decision. The same `key`, or without one the same moment
    by the same reporter, counts once.
    """
    at = at or now
    event = Event(kind=kind, at=at, key=f"by:{key or f'{at.isoformat()} {by}'}", by=by)
    async with store.write() as session:
        await session.missed.lock()
        task = await _task(session, task_id)
        if (event.kind, event.key) in {(report.kind, report.key) for report in task.reports}:
            return task
        _check(task, event, now)
        return await change_reports(session, task, [*task.reports, event])


def _check(task: MissedCaller, event: Event, now: datetime) -> None:
    if event.at > now + FUTURE:
        raise InvalidInput(f"{event.at.isoformat()} is in the future.")
    if event.at < task.since:
        raise InvalidInput(f"The caller rang later than that: {task.since.isoformat()}.")
    if event.at - task.last_at > LAPSES:
        raise Conflict("The caller rang last more than 30 days before that.")
    if len(task.reports) >= MOST_REPORTS:
        raise Conflict(f"This task has {MOST_REPORTS} reports already.")


async def reopen(store: Store, task_id: str) -> MissedCaller:
    """Take back what people decided. Raises `Conflict` if a contact or a tag closed the task."""
    async with store.write() as session:
        await session.missed.lock()
        task = await _task(session, task_id)
        if task.closed_as is None:
            return task
        kept = [report for report in task.reports if not _is_decision(report)]
        after = await change_reports(session, task, kept)
        if after.closed_as is not None:
            raise Conflict("A contact or a tag has closed this task: it cannot be opened again.")
        return after


def _is_decision(event: Event) -> bool:
    return event.kind in CLOSINGS and event.key.startswith("by:")
