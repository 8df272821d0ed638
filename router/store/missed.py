"""Missed callers in the store."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Text,
    and_,
    bindparam,
    case,
    cast,
    delete,
    exists,
    func,
    or_,
    select,
    tuple_,
    type_coerce,
    update,
)

from router.domain.calls.call import Direction, Ending, State
from router.domain.calls.missed import LAPSES, MissedCaller, MissedState
from router.domain.calls.missed_events import MISSED_ENDINGS, SHORT, RungCall
from router.service.calls.missed_ports import DaySums, HourOfCalls, PastTasks
from router.store import tables
from router.store.counters import count_up, counter, lock_counter
from router.store.direct import AnyConnection
from router.store.moments import plus
from router.store.records import MOST_KEYS, batched, from_rows, to_rows
from router.store.writing import upsert

COUNTER = "missed"
MOST_CALLS = 5000  # of one caller
_HOUR = timedelta(hours=1)
_QUARTER = 900  # seconds; no zone differs from UTC by less
_QUARTER_HOUR = timedelta(seconds=_QUARTER)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_task, _call, _facet = tables.missed_caller, tables.call, tables.call_facet
_RUNG = [_call.c[field.name] for field in fields(RungCall)]
_TOUCHED = (
    select(_task)
    .where(
        _task.c.caller.in_(bindparam("callers", expanding=True)),
        _task.c.last_at >= bindparam("last_from", type_=_task.c.last_at.type),
        or_(
            _task.c.closed_at.is_(None),
            _task.c.closed_at >= bindparam("at", type_=_task.c.closed_at.type),
        ),
    )
    .order_by(_task.c.since, _task.c.id)
)


@dataclass(frozen=True, slots=True)
class SqlMissed:
    """The `Missed` of `router.service.calls.missed_ports`."""

    connection: AnyConnection

    async def lock(self) -> None:
        """Lock all tasks until the transaction ends, so that they can be read and written back."""
        await lock_counter(self.connection, COUNTER)

    async def revision(self) -> int:
        """Counts the changes of tasks."""
        return await counter(self.connection, COUNTER)

    async def touched(self, callers: Collection[str], at: datetime) -> list[MissedCaller]:
        """The tasks of these callers that something at this moment may change, the oldest first."""
        values = {"callers": list(callers), "last_from": at - LAPSES, "at": at}
        rows = await self.connection.execute(_TOUCHED, values)
        return from_rows(MissedCaller, rows)

    async def calls_of(self, site_id: str | None, caller: str, since: datetime) -> list[RungCall]:
        """The calls of a caller to a site from then on."""
        query = (
            select(*_RUNG)
            .where(
                _call.c.caller == caller,
                or_(_call.c.arrived_at >= since, _call.c.steady_at >= since),
                _call.c.site_id.is_not_distinct_from(site_id),
            )
            .order_by(_call.c.arrived_at)
            .limit(MOST_CALLS)
        )
        return [RungCall.of(row) for row in await self.connection.execute(query)]

    async def rung(self, call_id: str) -> RungCall | None:
        """A call."""
        query = select(*_RUNG).where(_call.c.id == call_id)
        row = (await self.connection.execute(query)).one_or_none()
        return RungCall.of(row) if row else None

    async def moving(self, last_from: datetime, later_than: datetime) -> list[MissedCaller]:
        """Open tasks, and those in which something happened later than a moment."""
        is_open = and_(_task.c.closed_at.is_(None), _task.c.last_at >= last_from)
        later = or_(_task.c.last_at > later_than, _task.c.closed_at > later_than)
        rows = await self.connection.execute(select(_task).where(or_(is_open, later)))
        return from_rows(MissedCaller, rows)

    async def moving_calls(self, now: datetime, arrived_from: datetime) -> list[str]:
        """The calls that go on, and those of this time in which something happened after `now`."""
        later = or_(_call.c.arrived_at > now, _call.c.answered_at > now)
        going_on = _call.c.state != State.ENDED
        query = select(_call.c.id).where(
            or_(going_on, and_(_call.c.arrived_at >= arrived_from, later))
        )
        return [str(key) for key in (await self.connection.execute(query)).scalars()]

    async def move_calls(self, call_ids: Sequence[str], ahead: timedelta) -> None:
        """Move the moments of calls, as tasks see them."""
        at = func.coalesce(_call.c.steady_at, _call.c.arrived_at)
        moved = plus(at, ahead, self.connection.dialect.name)
        for some in batched(call_ids, MOST_KEYS):
            statement = update(_call).where(_call.c.id.in_(some)).values(steady_at=moved)
            await self.connection.execute(statement)

    async def save(self, tasks: Sequence[MissedCaller], gone: Collection[str] = ()) -> None:
        """Save tasks, and remove those that are part of another one now."""
        if gone:
            await self.connection.execute(delete(_task).where(_task.c.id.in_(gone)))
        await upsert(self.connection, _task, to_rows(tasks))
        await count_up(self.connection, COUNTER)

    async def open(self, now: datetime, site_id: str | None, most: int) -> list[MissedCaller]:
        """The tasks to be done, those that wait longest first."""
        query = (
            select(_task)
            .where(*_is_open(now), *_of_site(_task.c.site_id, site_id))
            .order_by(_task.c.waits_from, _task.c.id)
            .limit(most)
        )
        return from_rows(MissedCaller, await self.connection.execute(query))

    async def closed(
        self, site_id: str | None, before: tuple[datetime, str] | None, limit: int
    ) -> list[MissedCaller]:
        """The tasks that are done, the last first."""
        query = select(_task).where(
            _task.c.closed_at.is_not(None), *_of_site(_task.c.site_id, site_id)
        )
        if before:
            query = query.where(tuple_(_task.c.closed_at, _task.c.id) < before)
        query = query.order_by(_task.c.closed_at.desc(), _task.c.id.desc()).limit(limit)
        return from_rows(MissedCaller, await self.connection.execute(query))

    async def count_waiting(self, now: datetime) -> int:
        """How many callers have to be called back."""
        wanted = (~_task.c.short, ~_task.c.outside_hours, _task.c.caller.is_not(None))
        query = select(func.count()).select_from(_task).where(*_is_open(now), *wanted)
        return int((await self.connection.execute(query)).scalar_one())

    async def past(self, site_id: str | None, since: datetime, until: datetime) -> list[PastTasks]:
        """Tasks that began in this time, short abandons and spam left out."""
        quarter = self._seconds(_task.c.since).op("/")(_QUARTER).label("quarter")
        seconds = self._seconds(_task.c.closed_at) - self._seconds(_task.c.waits_from)
        query = (
            select(
                quarter,
                _task.c.closed_as,
                func.count(),
                func.aggregate_strings(cast(seconds, Text), ","),
            )
            .where(_task.c.since >= since, _task.c.since < until, ~_task.c.short, ~_is_spam())
            .where(*_of_site(_task.c.site_id, site_id))
            .group_by("quarter", _task.c.closed_as)
        )
        return [
            PastTasks(
                at=_EPOCH + int(number) * _QUARTER_HOUR,
                closed_as=MissedState(closed_as) if closed_as else None,
                tasks=tasks,
                seconds=tuple(map(float, lengths.split(","))) if lengths else (),
            )
            for number, closed_as, tasks, lengths in await self.connection.execute(query)
        ]

    async def hours(
        self, site_id: str | None, since: datetime, until: datetime
    ) -> list[HourOfCalls]:
        """How many calls ended in each hour of this time, and how many of them were missed."""
        hour = _hours_since_1970(self.connection.dialect.name)
        short, missed = _short(), and_(_is_missed(), ~_short())
        spam = _facet.c.spam
        query = (
            select(hour.label("hour"), _sum(~spam), _sum(missed), _sum(short), _sum(spam))
            .where(_facet.c.arrived_at >= since, _facet.c.arrived_at < until)
            .where(_facet.c.state == State.ENDED, _came(), *_of_site(_facet.c.site_id, site_id))
            .group_by("hour")
        )
        hours = []
        for hour, calls, misses, shorts, spams in await self.connection.execute(query):
            hours.append(
                HourOfCalls(
                    at=_EPOCH + int(hour) * _HOUR,
                    calls=int(calls) - int(shorts),
                    missed=int(misses),
                    short=int(shorts),
                    spam=int(spams),
                )
            )
        return hours

    async def day(self, since: datetime, until: datetime) -> DaySums:
        """The sums of the calls that arrived in this time and have ended."""
        answered = _facet.c.ending == Ending.ANSWERED
        wait = func.avg(case((answered, _facet.c.wait)))
        missed = and_(_is_missed(), ~_short())
        query = select(func.count(), _sum(answered), _sum(missed), wait).where(
            _facet.c.arrived_at >= since,
            _facet.c.arrived_at < until,
            _facet.c.state == State.ENDED,
            _came(),
            ~_facet.c.spam,
        )
        calls, talks, misses, seconds = (await self.connection.execute(query)).one()
        return DaySums(
            calls=calls, answered=talks or 0, missed=misses or 0, mean_wait_seconds=seconds
        )

    def _seconds(self, moment: ColumnElement[Any]) -> ColumnElement[Any]:
        """The whole seconds of a moment since 1970."""
        return type_coerce(func.ringtrace_seconds(moment), BigInteger)


def _came() -> ColumnElement[bool]:
    return _facet.c.direction == Direction.INCOMING


def _short() -> ColumnElement[bool]:
    hung_up = (Ending.ABANDONED, Ending.ABANDONED_EARLY, Ending.ABANDONED_RINGING)
    return and_(_facet.c.ending.in_(hung_up), _facet.c.wait < SHORT, ~_facet.c.spam)


def _is_missed() -> ColumnElement[bool]:
    return and_(_facet.c.ending.in_(sorted(MISSED_ENDINGS)), ~_facet.c.spam)


def _is_spam() -> ColumnElement[bool]:
    """Whether the first call of a task is spam."""
    counts = tables.qualification
    return exists(select(counts.c.call_id).where(counts.c.call_id == _task.c.id, counts.c.spam))


def _is_open(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return _task.c.closed_at.is_(None), _task.c.last_at >= now - LAPSES


def _of_site(column: ColumnElement[Any], site_id: str | None) -> tuple[ColumnElement[bool], ...]:
    if site_id is None:
        return ()
    return (column == site_id,)


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _hours_since_1970(dialect: str) -> ColumnElement[Any]:
    if dialect == "sqlite":
        return type_coerce(_facet.c.arrived_at, BigInteger).op("/")(3_600_000_000)
    return cast(func.floor(func.extract("epoch", _facet.c.arrived_at) / 3600), Integer)
