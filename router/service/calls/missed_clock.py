"""Moves the tasks of missed callers where the clock is set: a caller has waited as long as before,
and what happens next is later than what happened.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from router.domain.calls.missed import LAPSES, MissedCaller
from router.domain.calls.missed_events import Event
from router.service.calls.missed_follow import LONGEST_WAIT
from router.service.ports import Session


async def move_tasks(session: Session, now: datetime, ahead: timedelta) -> None:
    """The clock says `now` and was set `ahead`, or back: move open tasks, what the clock before
    says will happen, and the calls of both.
    """
    await session.missed.lock()
    set_back = min(ahead, timedelta(0))
    tasks = await session.missed.moving(last_from=now - ahead - LAPSES, later_than=now)
    call_ids = set(await session.missed.moving_calls(now, now - LONGEST_WAIT))
    for (site_id, caller), since in _first_moments(tasks).items():
        start = since - LONGEST_WAIT + set_back
        calls = await session.missed.calls_of(site_id, caller, start)
        call_ids |= {call.id for call in calls}
    call_ids |= {task.id for task in tasks if task.caller is None}

    await session.missed.move_calls(sorted(call_ids), ahead)
    await session.missed.save([_moved(task, ahead) for task in tasks])


def _first_moments(tasks: list[MissedCaller]) -> dict[tuple[str | None, str], datetime]:
    """Of each caller's tasks of a site."""
    first: dict[tuple[str | None, str], datetime] = {}
    for task in tasks:
        if task.caller is not None:
            key = (task.site_id, task.caller)
            first[key] = min(task.since, first.get(key, task.since))
    return first


def _moved(task: MissedCaller, ahead: timedelta) -> MissedCaller:
    return replace(
        task,
        since=task.since + ahead,
        waits_from=task.waits_from + ahead,
        last_at=task.last_at + ahead,
        latest_at=task.latest_at + ahead,
        tried_at=_later(task.tried_at, ahead),
        taken_at=_later(task.taken_at, ahead),
        closed_at=_later(task.closed_at, ahead),
        reports=tuple(_moved_report(report, ahead) for report in task.reports),
    )


def _later(at: datetime | None, ahead: timedelta) -> datetime | None:
    return at + ahead if at else None


def _moved_report(report: Event, ahead: timedelta) -> Event:
    return replace(report, at=report.at + ahead)
