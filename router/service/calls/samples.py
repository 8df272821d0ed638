"""Samples of calls: drawn at random, and worked off call by call."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo

from router.domain.calls.call import Call
from router.domain.calls.call_filter import CallFilter
from router.domain.calls.review import Review
from router.domain.calls.sampling import (
    MOST_PER_EMPLOYEE,
    MOST_WEEKS,
    Draw,
    Drawn,
    Progress,
    Sample,
    monday,
)
from router.domain.calls.saved_view import read_text, written_text
from router.domain.ids import new_id
from router.domain.text import one_line, storable
from router.errors import InvalidInput, NotFound
from router.service.ports import Session, Store

AT_ONCE = 2000  # calls of one query
MOST_CONSIDERED = 200_000  # calls of one sample
MOST_DRAWN = 2000
MOST_LISTED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledCall:
    """A call of a sample, and who reviewed it."""

    drawn: Drawn
    call: Call
    review: Review | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleView:
    """A sample with its calls."""

    progress: Progress
    calls: tuple[SampledCall, ...]

    @property
    def sample(self) -> Sample:
        """The sample itself."""
        return self.progress.sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a sample is to be drawn from."""

    name: str = ""
    query: str = ""  # filters as an address says them; times are those of the weeks
    per_employee: int
    since: date  # any day of the first week
    weeks: int = 1
    seed: str = ""  # empty: by chance


async def list_samples(store: Store) -> list[Progress]:
    """The newest samples."""
    async with store.read() as session:
        return await session.samples.all(MOST_LISTED)


async def draw_sample(
    store: Store, wanted: Wanted, *, zone: tzinfo, author: str, now: datetime
) -> Progress:
    """Choose so many answered calls of each employee and week, and keep them as a sample; weeks are
    those of `zone`. Raises `InvalidInput`, also if no call matches.
    """
    sample = _checked(wanted, author, now)
    drawn = await _draw(store, sample, zone)
    if not drawn:
        raise InvalidInput("No answered call matches: choose other weeks or fewer filters.")
    if len(drawn) > MOST_DRAWN:
        raise InvalidInput(
            f"A sample has at most {MOST_DRAWN} calls, not {len(drawn)}: choose fewer per employee."
        )
    async with store.write() as session:
        await session.samples.add(sample, drawn)
        return await _found(session, sample.id)


def _checked(wanted: Wanted, author: str, now: datetime) -> Sample:
    if not 1 <= wanted.per_employee <= MOST_PER_EMPLOYEE:
        raise InvalidInput(f"A sample has 1 to {MOST_PER_EMPLOYEE} calls of each employee.")
    if not 1 <= wanted.weeks <= MOST_WEEKS:
        raise InvalidInput(f"A sample is of 1 to {MOST_WEEKS} weeks.")
    if not 2000 <= wanted.since.year <= 2200:
        raise InvalidInput("A sample begins between the years 2000 and 2200.")
    query = replace(read_text(wanted.query), period=None, since=None, until=None)
    since = monday(wanted.since)
    return Sample(
        id=new_id(now),
        name=one_line(storable(wanted.name), 80) or f"{since:%G-W%V}",
        query=written_text(query),
        per_employee=wanted.per_employee,
        since=since,
        weeks=wanted.weeks,
        seed=one_line(storable(wanted.seed), 64) or secrets.token_hex(8),
        author=author,
        created_at=now,
    )


async def _draw(store: Store, sample: Sample, zone: tzinfo) -> list[Drawn]:
    draw = Draw(seed=sample.seed, per_employee=sample.per_employee, zone=zone)
    wanted = _with_times(read_text(sample.query).filter, sample, zone)
    before: tuple[datetime, str] | None = None
    considered = 0
    while True:
        async with store.survey() as session:
            found = await session.calls.positions(wanted, before=before, limit=AT_ONCE)
            calls = await session.samples.drawable([call_id for _, call_id in found])
        for call in calls:
            draw.consider(call)
        considered += len(found)
        if len(found) < AT_ONCE:
            return draw.chosen()
        if considered > MOST_CONSIDERED:
            raise InvalidInput(
                f"More than {MOST_CONSIDERED} calls match: choose fewer weeks or more filters."
            )
        before = found[-1]


def _with_times(wanted: CallFilter, sample: Sample, zone: tzinfo) -> CallFilter:
    following = sample.until + timedelta(days=1)
    return replace(
        wanted,
        since=datetime.combine(sample.since, time(), zone),
        until=datetime.combine(following, time(), zone),
    )


async def show_sample(store: Store, sample_id: str) -> SampleView:
    """A sample with its calls. Raises `NotFound`."""
    async with store.read() as session:
        progress = await _found(session, sample_id)
        drawn = await session.samples.calls_of(sample_id)
        ids = [sampled.call_id for sampled in drawn]
        calls = await session.get_many(Call, ids)
        reviews = await session.reviews.of(ids)
    shown = []
    for sampled in drawn:
        if sampled.call_id in calls:
            shown.append(
                SampledCall(
                    drawn=sampled, call=calls[sampled.call_id], review=reviews.get(sampled.call_id)
                )
            )
    listed = tuple(shown)
    return SampleView(progress=progress, calls=listed)


async def remove_sample(store: Store, sample_id: str) -> None:
    """Remove a sample; its calls stay reviewed. Raises `NotFound`."""
    async with store.write() as session:
        await _found(session, sample_id)
        await session.samples.remove(sample_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a call is in a sample that is worked off."""

    progress: Progress
    next_id: str | None  # the next call that no person reviewed


async def place_in_sample(store: Store, sample_id: str, call_id: str | None) -> Place:
    """The next call to review after this one; None is the start. Raises `NotFound`."""
    async with store.read() as session:
        progress = await _found(session, sample_id)
        ids = [sampled.call_id for sampled in await session.samples.calls_of(sample_id)]
        reviewed = await session.reviews.of(ids)
    return Place(progress=progress, next_id=_next(ids, call_id, set(reviewed)))


def _next(ids: Sequence[str], call_id: str | None, reviewed: set[str]) -> str | None:
    start = 0
    if call_id in ids:
        start = ids.index(call_id) + 1

    following = [*ids[start:], *ids[:start]]
    return next((key for key in following if key not in reviewed and key != call_id), None)


async def _found(session: Session, sample_id: str) -> Progress:
    progress = await session.samples.find(sample_id)
    if progress is None:
        raise NotFound(f"There is no sample '{sample_id[:40]}'.")
    return progress
