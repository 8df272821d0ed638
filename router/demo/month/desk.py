"""What supervisors did with the invented calls: tags, comments, reviews, a sample, views, and calls
back to those who were missed.
"""

import random
import secrets
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from router.demo.month.cast import BLOCKED, COMMENTS, SITES, SUPERVISORS, ZONE
from router.demo.month.judging import judge
from router.domain.access import Person, Role
from router.domain.calls.call import Call, Ending
from router.domain.calls.call_filter import Among, CallFilter
from router.domain.calls.missed import MissedCaller
from router.domain.calls.missed_events import EventKind
from router.domain.calls.saved_view import Editor, read_text
from router.domain.calls.tagging import TagColour
from router.service.admin.access import add_person
from router.service.calls import missed_tasks
from router.service.calls.browse import tag_call
from router.service.calls.bulk import BulkAction, change_calls
from router.service.calls.comments import add_comment
from router.service.calls.samples import Wanted, draw_sample
from router.service.calls.selection import Selection
from router.service.calls.spam import block_caller
from router.service.calls.tags import register_tag
from router.service.calls.views import ViewChange, save_view
from router.service.ports import Store

_TAGS = (
    ("target", TagColour.GREEN, 0.32),
    ("price", TagColour.BLUE, 0.16),
    ("complaint", TagColour.RED, 0.04),
    ("fitting", TagColour.TEAL, 0.12),
    ("wholesale", TagColour.VIOLET, 0.03),
    ("spam", TagColour.GREY, 0.02),
)
_VIEWS = (
    ("Complaints this month", "period=30d&tag=complaint", True),
    ("Winter campaign, target calls", "period=30d&campaign=winter-tyres&tag=target", True),
    ("Long waits", "period=7d&wait_from=20", False),
)
_MOST_TAGS = 2  # of a call
_LISTENED = timedelta(days=9)  # before that, the supervisors had no desk


async def work_at_the_desk(store: Store, end: datetime, seed: int) -> None:
    """All of it, at moments after the calls."""
    chance = random.Random(f"{seed} desk")  # noqa: S311
    for login in SUPERVISORS:
        async with store.read() as session:
            known = await session.peek(Person, login)
        if known is None:
            await add_person(store, login, secrets.token_urlsafe(16), Role.SUPERVISOR, end)
    calls = await _answered(store)
    await _tag(store, calls, end, chance)
    await _review(store, calls, end, chance)
    await _sample(store, end)
    await judge(store, _recorded(calls) or calls, end, chance)
    await _block(store, calls, end)
    for name, query, shared in _VIEWS:
        change = ViewChange(name=name, query=read_text(query), shared=shared)
        await save_view(store, Editor(login=SUPERVISORS[0]), change, now=end)
    await _call_back(store, end, chance)


async def _answered(store: Store) -> Sequence[Call]:
    """The newest first."""
    wanted = CallFilter(site_id=Among(tuple(site.id for site in SITES)), ending=Ending.ANSWERED)
    async with store.read() as session:
        return await session.calls.find(wanted, limit=1000)


async def _tag(store: Store, calls: Sequence[Call], end: datetime, chance: random.Random) -> None:
    given = Counter[str]()
    for place, (name, colour, share) in enumerate(_TAGS):
        await register_tag(store, name, colour=colour, digit=place + 1, now=end)
        fitting = (call.id for call in calls if given[call.id] < _MOST_TAGS)
        chosen = [call_id for call_id in fitting if chance.random() < share]
        given.update(chosen)
        await _change(store, chosen, BulkAction.TAG, name, chance.choice(SUPERVISORS), end)
    for call in _recorded(calls)[:12:3]:
        moment = round(call.talk_seconds * chance.uniform(0.2, 0.8), 1)
        await tag_call(store, call.id, "price", author=SUPERVISORS[0], now=end, at_seconds=moment)


async def _review(
    store: Store, calls: Sequence[Call], end: datetime, chance: random.Random
) -> None:
    fresh = [call for call in calls if call.arrived_at > end - _LISTENED]
    for person in SUPERVISORS:
        chosen = [call.id for call in fresh if chance.random() < 0.2]
        await _change(store, chosen, BulkAction.REVIEW, "", person, end)
    heard = _recorded(calls)[: 3 * len(COMMENTS)]
    for place, call in enumerate(heard):
        if place % 3 == 2:
            continue
        await add_comment(
            store,
            call.id,
            COMMENTS[place % len(COMMENTS)],
            author=SUPERVISORS[place % 2],
            now=min(end, (call.ended_at or end) + timedelta(minutes=chance.uniform(20, 200))),
            at_seconds=round(call.talk_seconds * chance.uniform(0.1, 0.9), 1),
            private=place % 5 == 4,
        )


async def _block(store: Store, calls: Sequence[Call], end: datetime) -> None:
    """The callers of the shortest talks are on the block list: their calls are spam."""
    shortest = sorted(calls, key=lambda call: call.talk_seconds)
    callers = list(dict.fromkeys(call.caller for call in shortest if call.caller))
    for caller, note in zip(callers, BLOCKED, strict=False):
        await block_caller(store, caller, note=note, author=SUPERVISORS[1], now=end)


def _recorded(calls: Sequence[Call]) -> list[Call]:
    return [call for call in calls if call.spool_name and call.talk_seconds > 15]


async def _change(
    store: Store, ids: Sequence[str], action: BulkAction, value: str, author: str, now: datetime
) -> None:
    if ids:
        selection = Selection(call_ids=tuple(ids))
        await change_calls(store, selection, action, value, author=author, now=now)


async def _sample(store: Store, end: datetime) -> None:
    wanted = Wanted(
        name="Two calls of each employee",
        per_employee=2,
        since=(end - timedelta(days=7)).astimezone(ZONE).date(),
        weeks=2,
        seed="demo",
    )
    await draw_sample(store, wanted, zone=ZONE, author=SUPERVISORS[0], now=end)


async def _call_back(store: Store, end: datetime, chance: random.Random) -> None:
    """Older tasks are done in one way or another; of the newest some are taken or were tried."""
    tasks = await missed_tasks.open_tasks(store, end)
    for task in tasks.no_number:
        if end - task.last_at > _SOON:
            await _report(store, task, EventKind.NOT_NEEDED, end, end)
    for task in (*tasks.waiting, *tasks.short):
        age = end - task.last_at
        if age > _SOON * 8 or (age > _SOON and chance.random() < 0.35):
            await _close(store, task, end, chance)
        elif chance.random() < 0.35:
            await missed_tasks.take(store, task.id, chance.choice(SUPERVISORS), end)
        elif chance.random() < 0.4:
            at = min(end, task.last_at + timedelta(minutes=10))
            await _report(store, task, EventKind.NOT_ANSWERED, at, end)
            await missed_tasks.set_note(store, task.id, "Rang twice, no answer.")


async def _close(store: Store, task: MissedCaller, end: datetime, chance: random.Random) -> None:
    kind, hours = chance.choices(_CLOSINGS, weights=(8, 6, 2, 2, 2))[0]
    at = min(end, task.last_at + timedelta(hours=hours * chance.uniform(0.4, 1)))
    await _report(store, task, kind, at, end)


_SOON = timedelta(hours=15)
_CLOSINGS = (
    (EventKind.REACHED, 0.3),
    (EventKind.REACHED, 8.0),
    (EventKind.REACHED, 40.0),
    (EventKind.NOT_NEEDED, 3.0),
    (EventKind.GIVEN_UP, 30.0),
)


async def _report(
    store: Store, task: MissedCaller, kind: EventKind, at: datetime, end: datetime
) -> None:
    by = SUPERVISORS[hash_of(task) % 2]
    await missed_tasks.report(store, task.id, kind, by=by, now=end, at=at)


def hash_of(task: MissedCaller) -> int:
    """A figure that is the same in every run."""
    return sum(task.id.encode())
