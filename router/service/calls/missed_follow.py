"""Keeps the tasks of missed callers: in the transaction that writes a call, a tag or a report."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from router.domain.calls.call import Call, State
from router.domain.calls.missed import (
    CLOSING_TAGS,
    Episode,
    MissedCaller,
    advance,
    episodes,
    new_task,
    with_episode,
)
from router.domain.calls.missed_events import Event, EventKind, RungCall
from router.errors import NotFound
from router.service.ids import by_id
from router.service.ports import Session

LONGEST_WAIT = timedelta(hours=1)  # of a call that is answered after the one that was missed
_BY_TAG = "tag:"
SPAM = "spam"  # who closes the task of a spam call


async def follow_calls(session: Session, calls: Iterable[Call]) -> None:
    """Begin and close tasks by these calls, as they are now in the store."""
    rung = [await _rung(session, call) for call in calls if call.state is not State.RINGING]
    for call in rung:
        if call.is_brief:  # it was a contact while it went on
            await _look_again(session, call)
    events = [(call, event) for call in rung if (event := call.event())]
    if not events:
        return
    callers = {call.caller for call, _ in events if call.caller}
    first = min(event.at for _, event in events)
    # most calls are answered, and most of their callers have no task
    contacts = all(event.kind is not EventKind.MISSED for _, event in events)
    if contacts and not (callers and await session.missed.touched(callers, first)):
        return
    await session.missed.lock()
    for call, event in sorted(events, key=lambda pair: pair[1].at):
        await _follow(session, call, event)


async def _rung(session: Session, call: Call) -> RungCall:
    """The call; where the clock was set during it, as it is in the store."""
    known = await session.missed.rung(call.id) if call.clock_stepped else None
    return known or RungCall.of(call)


async def _follow(session: Session, call: RungCall, event: Event) -> None:
    if call.caller is None:
        await _follow_unknown(session, call, event)
        return
    touched = await session.missed.touched([call.caller], event.at)
    tasks = [task for task in touched if task.site_id == call.site_id]
    if event.kind is not EventKind.MISSED and not _closes(event, tasks):
        return

    longer = _continued(tasks, event)
    if longer is None:
        await _rebuild(session, call, tasks, event)
    else:
        await session.missed.save([_with_call(longer, call, event)])


async def _follow_unknown(session: Session, call: RungCall, event: Event) -> None:
    """The call of a caller without a number is a task of its own."""
    if event.kind is not EventKind.MISSED:
        return
    tasks = []
    if same := await session.peek(MissedCaller, call.id):
        tasks.append(same)
    await _rebuild(session, call, tasks, event)


def _continued(tasks: Sequence[MissedCaller], event: Event) -> MissedCaller | None:
    """The newest task, if it is open and the event only adds to it."""
    if not tasks:
        return None
    newest = tasks[-1]
    if newest.closed_at is not None or newest.latest_at >= event.at:
        return None
    after = advance(newest.episode(), event)
    if after is None or after.first.key != newest.id:
        return None
    return with_episode(newest, after)


def _closes(event: Event, tasks: Sequence[MissedCaller]) -> bool:
    """Whether a contact at this moment changes one of these tasks."""
    known = {task.contact_call_id for task in tasks}
    return event.key not in known and any(
        task.since <= event.at and (task.closed_at is None or event.at < task.closed_at)
        for task in tasks
    )


def _with_call(task: MissedCaller, call: RungCall, event: Event) -> MissedCaller:
    """The task with what its last missed call says of the caller."""
    if event.kind is not EventKind.MISSED:
        return task
    name = call.caller_name or task.caller_name
    return replace(task, number=call.number, caller_name=name, withheld=call.withheld)


async def _rebuild(
    session: Session,
    call: RungCall,
    tasks: Sequence[MissedCaller],
    event: Event | None = None,
) -> list[MissedCaller]:
    """Make the tasks of a caller from all that is known since the first of them."""
    begun = [task.since for task in tasks]
    if event:
        begun.append(event.at)

    start = min(begun)
    calls = {call.id: call}
    if call.caller is not None:
        found = await session.missed.calls_of(call.site_id, call.caller, start - LONGEST_WAIT)
        calls |= by_id(found)
    reports: list[Event] = []
    for task in tasks:
        reports.extend(task.reports)

    rung = await _events(session, calls.values())
    found_now = [event for event in (*rung, *reports) if event.at >= start]
    made = list(episodes(found_now))
    after = [_task(episode, calls, tasks) for episode in made]
    after = _with_reports(after, reports)
    gone = {task.id for task in tasks} - {task.id for task in after}
    await session.missed.save(after, gone)
    return after


async def _events(session: Session, calls: Iterable[RungCall]) -> list[Event]:
    """What these calls are to a task: a spam call is no contact, even if it was answered."""
    rung = [rang for call in calls if (rang := call.event())]
    contacts = [event.key for event in rung if event.kind is EventKind.RANG_AGAIN]
    counts = await session.qualification.of(contacts)
    spam = {key for key in contacts if key in counts and counts[key].spam}
    return [event for event in rung if event.key not in spam]


async def _look_again(session: Session, call: RungCall) -> None:
    """Make the tasks again that this call may have closed."""
    if call.caller is None:
        return
    await session.missed.lock()
    touched = await session.missed.touched([call.caller], call.rang_at)
    tasks = [task for task in touched if task.site_id == call.site_id]
    if tasks:
        await _rebuild(session, call, tasks)


def _task(
    episode: Episode, calls: dict[str, RungCall], before: Sequence[MissedCaller]
) -> MissedCaller:
    """The task of an episode, with what people wrote into the tasks that it is made of."""
    task = new_task(episode, calls[episode.last.key])
    same = [earlier for earlier in before if earlier.id in episode.keys]
    for earlier in same:
        if earlier.taken_by:
            task = replace(task, taken_by=earlier.taken_by, taken_at=earlier.taken_at)

    names = (calls[key].caller_name for key in reversed(episode.keys))
    return replace(
        task,
        caller_name=next(filter(None, names), ""),
        note="\n".join(earlier.note for earlier in same if earlier.note),
    )


def _with_reports(tasks: Sequence[MissedCaller], reports: Sequence[Event]) -> list[MissedCaller]:
    """Each report belongs to the last task that began before it."""
    by_task: dict[str, list[Event]] = {}
    for report in sorted(
        {(report.kind, report.key): report for report in reports}.values(), key=_moment
    ):
        begun = [task for task in tasks if task.since <= report.at]
        if begun:
            by_task.setdefault(begun[-1].id, []).append(report)
    return [replace(task, reports=tuple(by_task.get(task.id, ()))) for task in tasks]


def _moment(event: Event) -> tuple[object, ...]:
    return event.at, event.key


async def change_reports(
    session: Session, task: MissedCaller, reports: Sequence[Event]
) -> MissedCaller:
    """The task after its reports were replaced by these. Lock the tasks and read it first."""
    call = await _known(session, task.last_call_id)
    changed = replace(task, reports=tuple(reports))
    others: list[MissedCaller] = []
    if task.caller is not None:
        # a task that is opened again goes on with the calls after it
        found = await session.missed.touched([task.caller], task.since)
        others = [other for other in found if other.site_id == task.site_id and other.id != task.id]
    tasks = sorted([changed, *others], key=lambda task: (task.since, task.id))
    after = await _rebuild(session, call, tasks)
    return next((made for made in after if made.id == task.id), changed)


async def _known(session: Session, call_id: str) -> RungCall:
    known = await session.missed.rung(call_id)
    if known is None:
        raise NotFound(f"There is no call '{call_id}'.")
    return known


async def follow_tag(session: Session, name: str, *call_ids: str) -> None:
    """Close the tasks of calls that got this tag, or open them again when they lost it."""
    if name in CLOSING_TAGS:
        for call_id in call_ids:
            await _follow_tags(session, call_id)


async def follow_spam(session: Session, call_id: str) -> None:
    """Close the task of a call that became spam, and open one that the call had closed; or the
    other way round.
    """
    await _follow_tags(session, call_id)
    call = await _known(session, call_id)
    event = call.event()
    if event and event.kind is EventKind.RANG_AGAIN:
        await _look_again(session, call)


async def _follow_tags(session: Session, call_id: str) -> None:
    call = await _known(session, call_id)
    await session.missed.lock()
    task = await _task_of(session, call)
    if task is None:
        return
    key = _BY_TAG + call_id
    tags = (await session.tags.of([call_id])).get(call_id, ())
    closing = [
        Event(kind=EventKind.NOT_NEEDED, at=max(tag.at, task.since), key=key, by=tag.author)
        for tag in tags
        if tag.name in CLOSING_TAGS
    ][:1]
    counts = (await session.qualification.of([call_id])).get(call_id)
    if counts and counts.spam and not closing:
        at = max(call.rang_at, task.since)
        closing = [Event(kind=EventKind.NOT_NEEDED, at=at, key=key, by=SPAM)]
    present = [report for report in task.reports if report.key == key]
    if [report.at for report in present] != [report.at for report in closing]:
        kept = [report for report in task.reports if report.key != key]
        await change_reports(session, task, [*kept, *closing])


async def _task_of(session: Session, call: RungCall) -> MissedCaller | None:
    """The task that this call is a part of."""
    task = await session.peek(MissedCaller, call.id)
    if task is not None or call.caller is None:
        return task
    found = await session.missed.touched([call.caller], call.rang_at)
    return next(
        (
            other
            for other in found
            if other.site_id == call.site_id and other.since <= call.rang_at <= other.last_at
        ),
        None,
    )
