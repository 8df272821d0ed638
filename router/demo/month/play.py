"""Plays the invented month moment by moment: visitors come, read, leave and call."""

import heapq
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path

import recordings
from router.demo.month.arrivals import leases_of, new_arrival
from router.demo.month.cast import (
    HOURS,
    NAMES,
    SITES,
    UNKNOWN_DID,
    WEEKDAYS,
    ZONE,
    InventedSite,
)
from router.demo.month.courses import Course, answer, take_course, until
from router.demo.month.rows import CallRows
from router.demo.month.sound import Voices
from router.demo.month.terms import DESTINATION, SYSTEM, Clock, Phone, Size, file_of, is_open
from router.service.calls.ingest import CallIngest
from router.service.calls.ports import Cursor
from router.service.visitors.identities import Ids
from router.service.visitors.opened_page import Arrived
from router.service.visitors.visits import Arrival, VisitService

_LONGEST_RECORDED = 95.0  # seconds, so that the recordings are encoded soon


@dataclass(slots=True, kw_only=True)
class Play:
    """The month as it is played."""

    visits: VisitService
    ingest: CallIngest
    clock: Clock
    end: datetime
    size: Size
    seed: int
    voices: Voices | None = None
    spool: Path | None = None
    chance: random.Random = field(init=False)
    _agenda: list[tuple[datetime, int, Callable[[], Awaitable[None]]]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)
    _serial: int = 0
    _cursor: Cursor = field(init=False)
    _phones: list[Phone] = field(default_factory=list)
    _recorded_since: datetime = field(init=False)
    _recorded: int = 0

    def __post_init__(self) -> None:
        self._cursor = Cursor(file=file_of(self.end), offset=0)
        calls_a_day = self.size.visits * 0.4 + self.size.other_calls
        recorded_days = max(1.0, self.size.recordings / calls_a_day * 1.6)
        self._recorded_since = self.end - timedelta(days=recorded_days)

    @property
    def first_day(self) -> datetime:
        """Midnight before the first day."""
        last = self.end.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
        return last - timedelta(days=self.size.days - 1)

    async def day(self, number: int) -> None:
        """Play one day, from 0. It is noted first, so a day that was interrupted is not played
        again.
        """
        self._cursor = Cursor(file=file_of(self.end), offset=number + 1)
        await self.ingest.ready()
        await self.ingest.ingest([], self._cursor)
        self.chance = random.Random(f"{self.seed} {number}")  # noqa: S311
        self._serial = 10_000 * (number + 1)
        midnight = self.first_day + timedelta(days=number)
        self._plan(midnight)
        tomorrow = midnight + timedelta(days=1)
        while self._agenda and self._agenda[0][0] < min(tomorrow, self.end):
            at, _, act = heapq.heappop(self._agenda)
            self.clock.now = max(at, self.clock.now)
            await act()

    def _plan(self, midnight: datetime) -> None:
        busy = WEEKDAYS[midnight.weekday()]
        for _ in range(round(self.size.visits * busy * self.chance.uniform(0.8, 1.2))):
            at = self._moment(midnight)
            site = self.chance.choices(SITES, weights=[site.share for site in SITES])[0]
            self._at(at, partial(self._come, site, at))
        for _ in range(round(self.size.other_calls * busy * self.chance.uniform(0.7, 1.3))):
            at = self._moment(midnight)
            if is_open(at) or self.chance.random() < 0.15:
                self._at(at, partial(self._call_without_visit, at))

    def _at(self, at: datetime, act: Callable[[], Awaitable[None]]) -> None:
        heapq.heappush(self._agenda, (at, next(self._order), act))

    def _moment(self, midnight: datetime) -> datetime:
        hour = self.chance.choices(range(24), weights=HOURS)[0]
        return midnight + timedelta(hours=hour, seconds=self.chance.uniform(0, 3600))

    async def _come(self, site: InventedSite, at: datetime) -> None:
        """A visitor opens a page."""
        arrival = new_arrival(site, at, self.chance)
        arrived = await self._open(site, arrival, at)
        await self._read_on(site, arrival, arrived, at)

    async def _open(self, site: InventedSite, arrival: Arrival, at: datetime) -> Arrived:
        config = await self.visits.sites.get(site.id)
        arrived = await self.visits.arrive(config, arrival, at)
        if leases := leases_of(arrived):
            present = await self.visits.recall(arrived.visit_id or "")
            await self.visits.stay(present, leases, None, Ids(), arrival.address, at)
        return arrived

    async def _read_on(
        self, site: InventedSite, arrival: Arrival, arrived: Arrived, at: datetime
    ) -> None:
        """Decide what the visitor does next: read another page, call, leave."""
        chance = self.chance
        stays = timedelta(seconds=min(chance.expovariate(1 / 140) + 15, 900))
        if chance.random() < 0.35:
            path = chance.choice(site.paths[1:])
            self._at(at + stays / 2, partial(self._turn, arrival, arrived, path, at + stays / 2))
        shown = arrived.numbers.get(site.pool_id)
        if shown and shown.number and chance.random() < (0.5 if is_open(at) else 0.08):
            phone = self._new_phone(shown.number)
            kind = chance.choices(("here", "left", "later"), weights=(60, 28, 12))[0]
            called = at + stays - timedelta(seconds=chance.uniform(5, 12))
            if kind == "left":
                called = at + stays + timedelta(minutes=chance.uniform(1, 20))
            elif kind == "later":
                called = at + timedelta(minutes=chance.uniform(40, 110))
            elif chance.random() < 0.7:
                tap = called - timedelta(seconds=2)
                self._at(tap, partial(self._tap, arrived, shown.number, tap))
            self._at(called, partial(self._call, phone, called))
        self._at(at + stays, partial(self._leave, arrived, at + stays))

    async def _turn(self, arrival: Arrival, arrived: Arrived, path: str, at: datetime) -> None:
        present = await self.visits.recall(arrived.visit_id or "")
        await self.visits.stay(present, leases_of(arrived), path, Ids(), arrival.address, at)

    async def _tap(self, arrived: Arrived, number: str, at: datetime) -> None:
        present = await self.visits.recall(arrived.visit_id or "")
        await self.visits.tapped(present, number, at)

    async def _leave(self, arrived: Arrived, at: datetime) -> None:
        present = await self.visits.recall(arrived.visit_id or "")
        await self.visits.left(present, leases_of(arrived), at)

    def _new_phone(self, dials: str) -> Phone:
        chance = self.chance
        operator = chance.choice(("903", "905", "910", "916", "925", "926", "963", "985", "999"))
        name = ""
        if chance.random() < 0.3:
            name = chance.choice(NAMES)
        return Phone(number=f"+7{operator}{chance.randrange(10**7):07}", name=name, dials=dials)

    async def _call_without_visit(self, at: datetime) -> None:
        """To a number of a channel, by a caller who knows the number, or by mistake."""
        chance = self.chance
        kind = chance.random()
        if kind < 0.5 and self._phones:
            phone = chance.choice(self._phones)
        elif kind < 0.97:
            site = chance.choices(SITES, weights=[site.share for site in SITES])[0]
            numbers: Sequence[str] = site.numbers
            if chance.random() < 0.8:
                numbers = list(site.static)
            phone = self._new_phone(chance.choice(numbers))
        else:
            phone = self._new_phone(f"+{UNKNOWN_DID}")
        await self._call(phone, at)

    async def _call(self, phone: Phone, at: datetime, *, again: bool = False) -> None:
        """A call begins; it is in the CEL log when it has ended."""
        chance = self.chance
        self._serial += 10
        caller, name = phone.number, phone.name
        if chance.random() < 0.02:
            caller, name = "anonymous", ""
        rows = CallRows(
            self._serial,
            at,
            did=phone.dials.lstrip("+"),
            caller=caller,
            name=name,
            system=SYSTEM,
        )

        number, spool, longest = phone.dials, "", 1000.0
        if number.endswith(UNKNOWN_DID):
            number = ""
        is_new = at >= self._recorded_since and bool(self.voices and self.spool)
        if is_new:
            spool, longest = rows.linkedid, chance.uniform(35, _LONGEST_RECORDED)
        rows.arrives(number, DESTINATION, spool)
        course = Course(rows)
        if again:
            answer(course, chance, longest)
        else:
            take_course(course, chance, is_open=is_open(at), longest=longest)
        self._phones.append(phone)
        self._at(until(course), partial(self._log, course, is_new=is_new))
        later = until(course) + timedelta(minutes=chance.uniform(2, 50))
        if not course.is_answered and is_open(later) and chance.random() < 0.4:
            self._at(later, partial(self._call, phone, later, again=chance.random() < 0.8))

    async def _log(self, course: Course, *, is_new: bool) -> None:
        """The call has ended: its sound is in the spool, its rows are in the CEL log."""
        if is_new and course.is_answered and self.spool and self.voices:
            pair = recordings.SpoolPair(directory=self.spool, name=course.rows.linkedid)
            self.voices.talk(course.talk_seconds, self.chance).spool(pair)
            self._recorded += 1
        for held in course.holds:
            for moment, is_held in ((held.at, True), (held.until, False)):
                await self.ingest.hold(course.rows.linkedid, held.channel, moment, held=is_held)
        await self.ingest.ingest(course.rows.rows, self._cursor)
        if course.dies:
            await self.ingest.close_silent(frozenset())
