"""The score of one way of attributing a simulated site's calls, and the figures that compare the
ways.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tests.bench.figure import Figure
from tests.bench.simulated_site import SOURCES, SimCall, SimSite

NOBODY = -1


@dataclass(slots=True)
class Score:
    """How one way of attribution did."""

    calls: int = 0
    right: int = 0
    right_source: int = 0
    brier: float = 0.0
    sure: list[tuple[float, bool]] = field(default_factory=list)
    summed: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    forced: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def add(
        self,
        site: SimSite,
        call: SimCall,
        found: dict[int, float],
        origins: dict[str, float],
        nobody: float | None = None,
    ) -> None:
        """One call: `found` visitors with their probabilities, `origins` likewise; what is missing
        belongs to no visitor.
        """
        true = NOBODY if call.visitor is None else call.visitor
        source = "" if call.visitor is None else site.visitors[call.visitor].source.name
        nobody = max(0.0, 1.0 - sum(found.values())) if nobody is None else nobody
        best, chance = max(found.items(), key=lambda item: item[1], default=(NOBODY, 0.0))
        if nobody >= chance:
            best, chance = NOBODY, nobody
        rest = max(0.0, 1.0 - sum(origins.values()))
        likely, share = max(origins.items(), key=lambda item: item[1], default=("", 0.0))
        likely = likely if share > rest else ""
        self.calls += 1
        self.right += best == true
        self.right_source += likely == source
        hit = found.get(true, 0.0) if true != NOBODY else nobody
        self.brier += sum(p * p for p in found.values()) + nobody * nobody - 2 * hit + 1
        self.sure.append((chance, best == true))
        self.forced["" if best == NOBODY else site.visitors[best].source.name] += 1
        for name, part in origins.items():
            self.summed[name] += part

    def calibration_error(self) -> float:
        """How far said and true differ in the mean, over ten equal steps of what was said."""
        steps: defaultdict[int, list[tuple[float, bool]]] = defaultdict(list)
        for said, true in self.sure:
            steps[min(9, int(said * 10))].append((said, true))
        gaps = (
            abs(sum(said for said, _ in some) - sum(true for _, true in some))
            for some in steps.values()
        )
        return sum(gaps) / max(1, self.calls)


def _totals_error(site: SimSite, totals: dict[str, float]) -> float:
    """The worst channel: how far its total is from the truth, as a share of it."""
    true: defaultdict[str, int] = defaultdict(int)
    for call in site.calls:
        if call.visitor is not None:
            true[site.visitors[call.visitor].source.name] += 1
    return max(
        abs(totals.get(source.name, 0.0) - true[source.name]) / max(1, true[source.name])
        for source in SOURCES
    )


def compared(site: SimSite, scores: dict[str, Score], setting: str) -> list[Figure]:
    """The ways beside each other, by name: `ours`, the `limit`, and the simple ones in the note."""
    calls = len(site.calls)
    without = site.without / max(1, site.visits)
    figures: list[Figure] = []

    def add(what: str, value: Callable[[Score], float], unit: str, **more: object) -> None:
        note = "  ".join(f"{name} {value(scores[name]):.3g}" for name in ("holder", "random"))
        limit = value(scores["limit"])
        ours = value(scores["ours"])
        figures.append(
            Figure(name=f"{setting}: {what}", ours=ours, limit=limit, unit=unit, note=note, **more)  # type: ignore[arg-type]
        )

    share = scores["ours"].right / max(1, scores["limit"].right)
    add(
        "right visitor",
        lambda s: 100 * s.right / s.calls,
        "%",
        ratio=share,
        aim="≥ 0.98 of limit",
        met=share >= 0.98,
    )
    add("right source", lambda s: 100 * s.right_source / s.calls, "%")
    error = 100 * scores["ours"].calibration_error()
    add(
        "calibration error",
        lambda s: 100 * s.calibration_error(),
        "points",
        aim="≤ 2",
        met=error <= 2,
    )
    add("Brier score", lambda s: s.brier / s.calls, "")
    off = 100 * _totals_error(site, scores["ours"].summed)
    add(
        "worst channel, summed",
        lambda s: 100 * _totals_error(site, s.summed),
        "%",
        aim="≤ 3 %",
        met=off <= 3,
    )
    add("worst channel, forced", lambda s: 100 * _totals_error(site, s.forced), "%")
    said = (
        f"{calls} calls, {len(site.numbers)} numbers, {100 * without:.1f} % of visitors without one"
    )
    figures[0] = replace(figures[0], note=f"{figures[0].note}  ({said})")
    return figures
