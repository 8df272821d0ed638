"""A site whose truth is known: visitors come, see numbers, leave; some call, and the simulation
knows who.

The truth is shaped otherwise than the model assumes: callers on the page come by a gamma hazard
and callers after it by a mixture of log-normal minutes, gamma hours and Weibull days, where the
model knows steps alone; unattributed calls differ from number to number, sources convert
differently, a tenth of browsers die without a goodbye. What both share: a visitor with a reason to
call does so by the hours of the day, few at night. Leases are taken, kept and left by the real
rules.
"""

import heapq
import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from router.domain.visitors.lease import Lease, begin, leave, sign_of_life
from router.domain.visitors.site import NumberKind, Pool, TrackingNumber

START = datetime(2026, 1, 1, tzinfo=UTC)
BEAT = 20.0  # seconds between signs of life
PAGE = 40.0  # seconds on a page, in the mean
DAY = 86_400.0
MONTH = 30 * DAY
HOURS = np.array(
    [1, 1, 1, 1, 1, 2, 3, 5, 8, 10, 11, 11, 10, 10, 10, 9, 9, 8, 8, 7, 6, 5, 3, 2], dtype=float
)
OPEN = np.array(
    [0.03] * 7 + [0.1, 0.4, 1, 1, 1, 0.9, 0.8, 1, 1, 1, 0.9, 0.7, 0.5, 0.3, 0.15, 0.06, 0.03]
)
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where visitors come from: which part of them, and how readily they call beside the others."""

    name: str
    share: float
    readiness: float


SOURCES = (
    Source(name="yandex", share=0.3, readiness=1.0),
    Source(name="google", share=0.22, readiness=0.9),
    Source(name="(direct)", share=0.2, readiness=1.6),
    Source(name="vk", share=0.18, readiness=0.5),
    Source(name="maps", share=0.1, readiness=1.8),
)
REGIONS = (("Moscow", 0.5), ("Moscow Oblast", 0.2), ("Tula", 0.1), ("Kaluga", 0.1), ("Tver", 0.1))


def _gamma(x: Array, shape: float, scale: float) -> Array:
    x = np.maximum(x, 1e-6)
    return np.asarray(x ** (shape - 1) * np.exp(-x / scale) / (math.gamma(shape) * scale**shape))


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """How people really call. Rates are per second."""

    on_page: float = 0.06  # calls of a visitor of readiness 1 who stays for ever
    after: float = 0.035  # calls of one who has left, within the month
    saved: float = 0.5  # calls again of one who called, within the month
    # per number and day in the mean, if all hours were open; numbers differ by a gamma factor
    unattributed: float = 0.6 / DAY
    tap: float = 0.45  # callers on the page who tapped the number first
    false_tap: float = 0.02  # visitors who tap and do not call
    contacts: tuple[float, float] = (0.5, 0.15)  # callers, others
    at_home: float = 0.75  # phones that are from where their visitor is

    def present(self, age: Array) -> Array:
        """The hazard of a call while the page is open."""
        return self.on_page * _gamma(age, 1.7, 70.0)

    def gone(self, delay: Array) -> Array:
        """The density of calls by the time since the visitor left."""
        d = np.maximum(delay, 1e-3)
        minutes = np.exp(-((np.log(d / 240) / 1.0) ** 2) / 2) / (d * 1.0 * math.sqrt(2 * math.pi))
        days = (0.8 / (2.5 * DAY)) * (d / (2.5 * DAY)) ** -0.2 * np.exp(-((d / (2.5 * DAY)) ** 0.8))
        mixed = 0.5 * minutes + 0.3 * _gamma(d, 1.5, 3 * 3600.0) + 0.2 * days
        return np.where(delay < MONTH, self.after * mixed, 0.0)

    def again(self, delay: Array) -> Array:
        """The density of calls of a known phone by the time since its first call."""
        return np.where(
            delay < MONTH, self.saved * (0.3 * _gamma(delay, 1.0, 1200.0) + 0.7 / MONTH), 0.0
        )


@dataclass(slots=True)
class SimVisitor:
    """A visitor with all that the site sees of them, and their phone, which it does not."""

    id: int
    source: Source
    region: str
    phone: str
    phone_region: str
    lease: Lease
    left: float  # seconds since START
    contacts: bool
    tapped: float | None = None
    called: float | None = None  # when they called for the first time


@dataclass(frozen=True, slots=True, kw_only=True)
class SimCall:
    """A call, and who really made it (None: a person who never came to the site lately)."""

    at: float
    number: str
    phone: str
    phone_region: str
    visitor: int | None


@dataclass(slots=True)
class SimSite:
    """What happened on a site: leases by number, visitors, calls in the order in which they
    came.
    """

    truth: Truth
    pool: Pool
    numbers: dict[str, TrackingNumber]
    unattributed_calls: dict[str, float]
    visitors: list[SimVisitor] = field(default_factory=list)
    by_number: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    calls: list[SimCall] = field(default_factory=list)
    visits: int = 0
    without: int = 0


def awake(rng: np.random.Generator, at: float) -> bool:
    """Whether a visitor with a reason to call does so at this hour."""
    return bool(rng.random() < OPEN[int(at % DAY // 3600)])


def moment(seconds: float) -> datetime:
    """The simulation's seconds as a time."""
    return START + timedelta(seconds=seconds)


def simulate(
    *, a_day: int, days: int, numbers: int, pool: Pool, seed: int, truth: Truth | None = None
) -> SimSite:
    """So many days of a site."""
    rng = np.random.default_rng(seed)
    truth = truth or Truth()
    shown = [f"+7495{1_000_000 + index}" for index in range(numbers)]
    site = SimSite(
        truth=truth,
        pool=pool,
        numbers={
            e164: TrackingNumber(
                e164=e164,
                site_id="shop",
                kind=NumberKind.DYNAMIC,
                pool_id=pool.id,
                free_at=START,
                created_at=START,
            )
            for e164 in shown
        },
        unattributed_calls={e164: truth.unattributed * rng.gamma(2.0, 0.5) for e164 in shown},
    )
    gone = _sampler(truth.gone, MONTH)
    again = _sampler(truth.again, MONTH)
    idle = [(0.0, e164) for e164 in shown]
    heapq.heapify(idle)
    for at in _arrivals(rng, a_day, days):
        site.visits += 1
        if idle[0][0] > at:
            site.without += 1  # the ladder: the page keeps a number of a lower rung
            continue
        _, number = heapq.heappop(idle)
        visitor = _visit(rng, site, number, at)
        heapq.heappush(idle, ((visitor.lease.ends_at - START).total_seconds(), number))
        _call(rng, site, visitor, gone, again)
    _unattributed_calls(rng, site, days * DAY, again)
    site.calls = sorted(
        (call for call in site.calls if call.at < days * DAY), key=lambda call: call.at
    )
    return site


def _arrivals(rng: np.random.Generator, a_day: int, days: int) -> Iterator[float]:
    hourly = HOURS / HOURS.sum() * a_day
    for day in range(days):
        counts = rng.poisson(hourly)
        for hour, count in enumerate(counts):
            yield from np.sort(rng.uniform(0, 3600, count)) + day * DAY + hour * 3600


def _visit(rng: np.random.Generator, site: SimSite, number: str, at: float) -> SimVisitor:
    """A visit whole: the lease is begun, kept alive and left by the real rules."""
    stay = float(min(rng.lognormal(math.log(120), 1.1), 3600))
    index = len(site.visitors)
    who = {"id": f"l{index}", "number": number, "visitor_id": f"v{index}", "visit_id": f"v{index}"}
    lease = begin(site.pool, now=moment(at), **who)
    turns = np.cumsum(rng.exponential(PAGE, int(stay / PAGE * 3) + 5))
    for beat in sorted([*np.arange(BEAT, stay, BEAT), *turns[turns < stay]]):
        if beat in turns:  # a page is left, and the next one opens
            lease = leave(lease, site.pool, moment(at + float(beat)))
        lease = sign_of_life(lease, site.pool, moment(at + float(beat))) or lease
    if rng.random() < 0.9:  # the others' browsers die without a goodbye
        lease = leave(lease, site.pool, moment(at + stay))
    source = SOURCES[rng.choice(len(SOURCES), p=[source.share for source in SOURCES])]
    region = _region(rng)
    visitor = SimVisitor(
        id=index,
        source=source,
        region=region,
        phone=f"+7916{index:07d}",
        phone_region=region if rng.random() < site.truth.at_home else _region(rng),
        lease=lease,
        left=at + stay,
        contacts=bool(rng.random() < site.truth.contacts[1]),
    )
    if rng.random() < site.truth.false_tap:
        visitor.tapped = at + float(rng.uniform(0, stay))
    site.visitors.append(visitor)
    site.by_number[number].append(index)
    return visitor


def _region(rng: np.random.Generator) -> str:
    return REGIONS[rng.choice(len(REGIONS), p=[share for _, share in REGIONS])][0]


def _call(
    rng: np.random.Generator, site: SimSite, visitor: SimVisitor, gone: "_Draw", again: "_Draw"
) -> None:
    truth, begun = site.truth, (visitor.lease.started_at - START).total_seconds()
    ready = visitor.source.readiness
    if rng.random() < truth.on_page * ready:
        at = begun + rng.gamma(1.7, 70.0)
        if at < visitor.left and awake(rng, at):
            visitor.called = at
            if rng.random() < truth.tap:
                visitor.tapped = max(begun, at - float(rng.uniform(3, 25)))
    if visitor.called is None and rng.random() < truth.after * ready:
        at = visitor.left + gone(rng)
        visitor.called = at if awake(rng, at) else None
    if visitor.called is None:
        return
    visitor.contacts = bool(rng.random() < truth.contacts[0])
    calls = [visitor.called]
    later = (visitor.called + again(rng) for _ in range(rng.poisson(truth.saved)))
    calls += [at for at in later if awake(rng, at)]
    site.calls += [
        SimCall(
            at=at,
            number=visitor.lease.number,
            phone=visitor.phone,
            phone_region=visitor.phone_region,
            visitor=visitor.id,
        )
        for at in calls
    ]


def _unattributed_calls(
    rng: np.random.Generator, site: SimSite, seconds: float, again: "_Draw"
) -> None:
    """Misdials and numbers saved before our time, by the hours of the day."""
    for number, rate in site.unattributed_calls.items():
        for _ in range(rng.poisson(rate * seconds)):
            at = float(rng.uniform(0, seconds))
            if not awake(rng, at):
                continue
            phone = f"+7903{rng.integers(0, 10_000_000):07d}"
            later = (at + again(rng) for _ in range(rng.poisson(site.truth.saved)))
            times = [at, *(moment for moment in later if awake(rng, moment))]
            home = _region(rng)
            site.calls += [
                SimCall(at=moment, number=number, phone=phone, phone_region=home, visitor=None)
                for moment in times
            ]


_Draw = Callable[[np.random.Generator], float]


def _sampler(density: Callable[[Array], Array], longest: float) -> _Draw:
    """Draws from a density by its table."""
    grid = np.concatenate([[0.0], np.geomspace(0.5, longest * 0.9999, 20_000)])
    middle = (grid[1:] + grid[:-1]) / 2
    total = np.cumsum(density(middle) * np.diff(grid))
    total /= total[-1]
    return lambda rng: float(np.interp(rng.random(), total, grid[1:]))
