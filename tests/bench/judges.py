"""The judges of a simulated site's calls: our rules, two simple ways, and the Bayes limit.

The limit weighs every visitor of the number with the simulation's own densities and shares: no rule
can do better. Our rules begin without a single call learned and learn as they go, as they do at a
real site, so their first mistakes count.
"""

import random
from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import replace
from itertools import pairwise

import numpy as np

from router.domain.attribution.hypotheses import DELAYS
from router.domain.attribution.inference import attribute, kept_origins
from router.domain.attribution.model import USUAL
from router.domain.attribution.population import crowds
from router.domain.attribution.terms import CallContext, Candidate, CandidateFacts, Earlier
from router.domain.attribution.training import Case, train_model
from router.service.calls.attribution import MOST_HOLDERS
from tests.bench.simulated_site import DAY, MONTH, REGIONS, START, SimCall, SimSite, moment

LESSONS = (100, 200, 400, 800, 1600, 3200, 6400)  # calls after which the site learns again
MOST_TAUGHT = 3000


class Judged:
    """Our rules, learning as a site does."""

    def __init__(self, site: SimSite) -> None:
        self.site, self.model = site, USUAL
        self.unattributed_calls: defaultdict[str, list[float]] = defaultdict(list)
        self.by_phone: defaultdict[str, list[Earlier]] = defaultdict(list)
        self.by_number: defaultdict[str, list[tuple[float, str, Candidate]]] = defaultdict(list)
        self.questions: list[CallContext] = []
        self._starts = {
            number: [(site.visitors[v].lease.started_at - START).total_seconds() for v in ids]
            for number, ids in site.by_number.items()
        }
        spans = [(v.lease.started_at, v.lease.seen_at, v.lease.frozen_at) for v in site.visitors]
        stamps = [(a.timestamp(), b.timestamp(), c.timestamp()) for a, b, c in spans]
        self._crowds = crowds(
            [moment(call.at) for call in site.calls],
            stamps,
            [(moment(call.at), call.phone) for call in site.calls],
            len(site.numbers),
        )

    def judge(self, call: SimCall) -> tuple[dict[int, float], dict[str, float], float]:
        """Visitors with probabilities, sources likewise, and that of no visitor."""
        if len(self.questions) in LESSONS:
            self.learn()
        context = self._context(call)
        answer = attribute(context, self.model)
        self.questions.append(context)
        known = {"candidates": answer.candidates, "origins": kept_origins(answer.origins)}
        self.by_phone[call.phone].insert(
            0, Earlier(at=moment(call.at), number=call.number, **known)
        )
        if answer.named:
            self.by_number[call.number].append((call.at, call.phone, answer.named))
        if answer.verdict in {"unknown", "repeat"}:
            self.unattributed_calls[call.number].append(call.at)
        found = {
            int(candidate.visitor_id[1:]): candidate.probability for candidate in answer.candidates
        }
        origins: defaultdict[str, float] = defaultdict(float)
        for (source, _), share in answer.origins.items():
            origins[source or ""] += share
        return found, dict(origins), answer.unknown

    def learn(self) -> None:
        """As the worker does now and then."""
        recent = range(max(0, len(self.questions) - MOST_TAUGHT), len(self.questions))
        cases = [Case(context=self.questions[i], crowd=self._crowds[i]) for i in recent]
        phones = len({context.caller for context in self.questions[recent.start :]})
        self.model = train_model(cases, phones=phones, start=self.model)

    def _unattributed_of(self, number: str, at: float) -> list[float]:
        unattributed_calls = self.unattributed_calls[number]
        return unattributed_calls[bisect_right(unattributed_calls, at - 90 * DAY) :]

    def _context(self, call: SimCall) -> CallContext:
        """As `service.attributing` gathers it."""
        ids, starts = self.site.by_number[call.number], self._starts.get(call.number, [])
        upto = bisect_right(starts, call.at)
        holders = ids[max(0, upto - MOST_HOLDERS) : upto][::-1]
        first = max(0, upto - MOST_HOLDERS)
        rest = tuple(
            max(
                0,
                min(first, bisect_left(starts, call.at - low))
                - bisect_left(starts, call.at - high),
            )
            for low, high in pairwise(DELAYS)
        )
        called = self._called(call)
        candidates = [self._candidate(v, call, called) for v in holders]
        earlier = tuple(self.by_phone[call.phone])
        if earlier:
            candidates += [
                replace(
                    self._candidate(int(candidate.visitor_id[1:]), call, {}),
                    lease=None,
                    tapped_at=None,
                )
                for candidate in earlier[0].candidates
            ]
        number = self.site.numbers[call.number]
        return CallContext(
            number=replace(
                number, unattributed_calls=len(self._unattributed_of(call.number, call.at))
            ),
            at=moment(call.at),
            caller=call.phone,
            caller_region=call.phone_region,
            candidates=tuple(candidates),
            rest=rest if first else (),
            earlier=earlier,
            unattributed_calls=sum(
                len(self._unattributed_of(number, call.at)) for number in self.site.numbers
            )
            / len(self.site.numbers),
        )

    def _called(self, call: SimCall) -> dict[str, float]:
        found: dict[str, float] = {}
        for at, phone, held in self.by_number[call.number]:
            if at > call.at - MONTH and phone != call.phone:
                found[held.visitor_id] = 1 - (1 - found.get(held.visitor_id, 0.0)) * (
                    1 - held.probability
                )
        return found

    def _candidate(self, v: int, call: SimCall, called: dict[str, float]) -> CandidateFacts:
        visitor = self.site.visitors[v]
        tapped = (
            visitor.tapped if visitor.tapped is not None and visitor.tapped <= call.at else None
        )
        return CandidateFacts(
            lease=visitor.lease,
            visitor_id=f"v{v}",
            visit_id=f"v{v}",
            source=visitor.source.name,
            tapped_at=moment(tapped) if tapped is not None else None,
            contacts=visitor.contacts,
            region=visitor.region,
            called=called.get(f"v{v}", 0.0),
        )


class Limit:
    """The posterior with the simulation's own parameters, carried on from each phone's first
    call.
    """

    def __init__(self, site: SimSite) -> None:
        self.site, self.truth = site, site.truth
        self.owners: dict[str, dict[int, float]] = {}
        self.silent = np.ones(len(site.visitors))  # how probably each has not called yet
        self._of: dict[str, dict[str, np.ndarray]] = {}
        shares = dict(REGIONS)
        for number, ids in site.by_number.items():
            who = [site.visitors[v] for v in ids]
            self._of[number] = {
                "id": np.array(ids),
                "begun": np.array([(v.lease.started_at - START).total_seconds() for v in who]),
                "left": np.array([v.left for v in who]),
                "ready": np.array([v.source.readiness for v in who]),
                "contacts": np.array([self._ratio(v.contacts) for v in who]),
                "tapped": np.array([np.nan if v.tapped is None else v.tapped for v in who]),
                "region": np.array([v.region for v in who]),
                "share": np.array([shares[v.region] for v in who]),
            }

    def _ratio(self, contacts: bool) -> float:
        caller, other = self.truth.contacts
        return caller / other if contacts else (1 - caller) / (1 - other)

    def judge(self, call: SimCall) -> dict[int, float]:
        """Visitors with probabilities. Phones are never lent here: whose it was found to be stays
        its owner.
        """
        if call.phone not in self.owners:
            self.owners[call.phone] = self._first(call)
            for visitor, share in self.owners[call.phone].items():
                self.silent[visitor] *= 1 - share
        return self.owners[call.phone]

    def _first(self, call: SimCall) -> dict[int, float]:
        of = self._of.get(call.number)
        if of is None:
            return {}
        upto = int(np.searchsorted(of["begun"], call.at, side="right"))
        since = int(np.searchsorted(of["begun"], call.at - MONTH - 3600))
        part = {name: values[since:upto] for name, values in of.items()}
        weights = self._weights(part, call)
        total = weights.sum() + self.site.unattributed_calls[call.number]
        keep = weights > total * 1e-6
        return {
            int(v): float(w / total) for v, w in zip(part["id"][keep], weights[keep], strict=True)
        }

    def _weights(self, of: dict[str, np.ndarray], call: SimCall) -> np.ndarray:
        truth = self.truth
        on_page = call.at < of["left"]
        ago = call.at - of["tapped"]
        just = (ago >= 3) & (ago <= 25)
        stay = np.maximum(call.at - of["begun"], 30.0)
        density = truth.tap / 22  # of a caller's tap; a false tap lies anywhere on the visit
        tap = np.where(just, density / (truth.false_tap / np.maximum(stay, 120.0)), 1 - truth.tap)
        present = truth.present(call.at - of["begun"]) * of["ready"] * tap
        gone = truth.gone(np.maximum(call.at - of["left"], 0.0)) * of["ready"]
        home = np.where(
            of["region"] == call.phone_region,
            (truth.at_home + (1 - truth.at_home) * of["share"]) / of["share"],
            1 - truth.at_home,
        )
        weights = np.where(on_page, present, gone) * of["contacts"] * home
        return np.asarray(weights * self.silent[of["id"]])


def holder(site: SimSite, call: SimCall) -> int | None:
    """What many trackers do: the visitor who holds the number now, else none."""
    ids = site.by_number[call.number]
    at = moment(call.at)
    upto = bisect_right(ids, at, key=lambda v: site.visitors[v].lease.started_at)
    if not upto or site.visitors[ids[upto - 1]].lease.ends_at <= at:
        return None
    return ids[upto - 1]


def anyone(site: SimSite, call: SimCall, draw: random.Random) -> int | None:
    """As if a random free number were shown and its last visitors kept in a list: any of the last
    ones.
    """
    ids = site.by_number[call.number]
    at = moment(call.at)
    upto = bisect_right(ids, at, key=lambda v: site.visitors[v].lease.started_at)
    recent = ids[max(0, upto - 3) : upto]
    return draw.choice(recent) if recent else None
