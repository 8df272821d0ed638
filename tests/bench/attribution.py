"""Whose call it was, against a simulation that knows: the settings, and a run of every judge on
each of them.

The truth's shapes are not those of the model (see `simulated_site`).
"""

import random
from collections import defaultdict
from dataclasses import dataclass

from router.domain.visitors.erlang import numbers_needed
from router.domain.visitors.site import Pool
from tests.bench import forged_phones, forger
from tests.bench.figure import Figure
from tests.bench.judges import Judged, Limit, anyone, holder
from tests.bench.score import Score, compared
from tests.bench.simulated_site import HOURS, START, SimSite, simulate


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A site to be simulated; `numbers` None: as many as Erlang B advises for 1 % of visitors
    without one.
    """

    name: str
    a_day: int
    days: int
    hold: int
    freeze: int
    numbers: int | None = None


SETTINGS = (
    Setting(name="100/day, 5 numbers", a_day=100, days=900, hold=600, freeze=540, numbers=5),
    Setting(name="500/day, 5 numbers", a_day=500, days=330, hold=600, freeze=540, numbers=5),
    Setting(name="500/day, planned", a_day=500, days=250, hold=1800, freeze=1500),
    Setting(name="5000/day, 50 numbers", a_day=5000, days=30, hold=600, freeze=540, numbers=50),
    Setting(name="5000/day, planned", a_day=5000, days=26, hold=1800, freeze=1500),
)
QUICK = (Setting(name="500/day, 5 numbers", a_day=500, days=60, hold=600, freeze=540, numbers=5),)


def measure(*, quick: bool = False) -> list[Figure]:
    """All settings."""
    figures: list[Figure] = []
    for number, setting in enumerate(QUICK if quick else SETTINGS):
        figures += _measure(setting, seed=number)
    site = _simulated(QUICK[0], seed=7)
    return figures + forged_phones.measure(site, "500/day, 5 numbers, 60 days")


def _simulated(setting: Setting, seed: int) -> SimSite:
    pool = Pool(
        id="main",
        site_id="shop",
        name="Main",
        hold_seconds=setting.hold,
        freeze_seconds=setting.freeze,
        created_at=START,
    )
    busiest = setting.a_day * float(HOURS.max() / HOURS.sum())
    numbers = setting.numbers or numbers_needed(busiest, setting.freeze + 190, 0.01)
    return simulate(a_day=setting.a_day, days=setting.days, numbers=numbers, pool=pool, seed=seed)


def _measure(setting: Setting, seed: int) -> list[Figure]:
    site = _simulated(setting, seed)
    scores = {name: Score() for name in ("ours", "limit", "holder", "random")}
    shuffled = random.Random(seed)
    attributed = Judged(site)
    limit = Limit(site)
    for call in site.calls:
        scores["ours"].add(site, call, *attributed.judge(call))
        for name, chosen in (
            ("holder", holder(site, call)),
            ("random", anyone(site, call, shuffled)),
        ):
            certain = {} if chosen is None else {chosen: 1.0}
            scores[name].add(
                site, call, certain, {site.visitors[v].source.name: 1.0 for v in certain}
            )
        likely = limit.judge(call)
        scores["limit"].add(site, call, likely, _by_source(site, likely))
    return [*compared(site, scores, setting.name), *forger.measure(site, attributed, setting.name)]


def _by_source(site: SimSite, found: dict[int, float]) -> dict[str, float]:
    shares: defaultdict[str, float] = defaultdict(float)
    for visitor, share in found.items():
        shares[site.visitors[visitor].source.name] += share
    return dict(shares)
