"""Forgers who call with the caller IDs of people that will call from the page, beside a site that
learns.

The forger held the number of the victim before, called it with the victim's phone as caller ID,
and was named with all but certainty. What counts is the share of all calls of the site that the
forgers take so: one who forges few phones is not noticed, and one who forges many is.
"""

import random
from bisect import bisect_right
from dataclasses import dataclass

from router.domain.attribution.terms import Candidate, Earlier
from tests.bench.figure import Figure
from tests.bench.judges import Judged
from tests.bench.simulated_site import DAY, SimCall, SimSite, moment

HOUR = DAY / 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """Forgers of a part of those who call from the page, so many seconds before their calls."""

    victims: float
    before: float
    most: float  # percent of all calls of the site that they may take

    @property
    def name(self) -> str:
        """What a figure is called."""
        days, hours = divmod(round(self.before / HOUR), 24)
        when = f"{days} days" if days else f"{hours} hour"
        return f"calls taken from {100 * self.victims:g} % of callers forged {when} before"


ATTACKS = (
    Attack(victims=0.05, before=2 * DAY, most=1.0),
    Attack(victims=0.2, before=HOUR, most=1.5),
    Attack(victims=0.2, before=5 * DAY, most=1.5),
    Attack(victims=1.0, before=HOUR, most=7.0),
)


def measure(site: SimSite, setting: str) -> list[Figure]:
    """One figure for each attack."""
    return [_figure(site, attack, setting) for attack in ATTACKS]


def _figure(site: SimSite, attack: Attack, setting: str) -> Figure:
    attacked = Attacked(site, attack)
    for call in site.calls:
        attacked.judge(call)
    share = 100 * attacked.taken / len(site.calls)
    return Figure(
        name=f"{setting}: {attack.name}",
        ours=share,
        unit="% of all",
        aim=f"≤ {attack.most:g} %",
        met=share <= attack.most,
        note=f"{attacked.taken} of {attacked.victims} victims, {len(site.calls)} calls",
    )


class Attacked(Judged):
    """Our rules on a site with forgers."""

    def __init__(self, site: SimSite, attack: Attack) -> None:
        super().__init__(site)
        self._attack, self._draw = attack, random.Random(0)
        self._heard: set[str] = set()
        self.victims = self.taken = 0

    def judge(self, call: SimCall) -> tuple[dict[int, float], dict[str, float], float]:
        """As without forgers, after theirs has called."""
        forger = self._forger(call)
        self._heard.add(call.phone)
        found, origins, nobody = super().judge(call)
        best = max(found, key=lambda visitor: found[visitor], default=None)
        if forger is not None:
            self.victims += 1
            self.taken += best == forger and found[forger] > nobody
        return found, origins, nobody

    def _forger(self, call: SimCall) -> int | None:
        """Who called as this caller before; None if there is none."""
        from_page = call.visitor is not None and call.at < self.site.visitors[call.visitor].left
        chosen = self._draw.random() < self._attack.victims
        if not from_page or not chosen or call.phone in self._heard:
            return None
        at, ids = moment(call.at - self._attack.before), self.site.by_number[call.number]
        held = bisect_right(
            ids, at, key=lambda visitor: self.site.visitors[visitor].lease.started_at
        )
        if not held or ids[held - 1] == call.visitor:
            return None
        name = f"v{ids[held - 1]}"
        who = Candidate(lease_id=None, visitor_id=name, visit_id=name, probability=0.945)
        self.by_phone[call.phone].insert(0, Earlier(at=at, number=call.number, candidates=(who,)))
        return ids[held - 1]
