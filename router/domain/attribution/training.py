"""Trains a site's model on its calls.

Expectation maximisation. Rates come from Cox's partial likelihood: each call is compared with
everyone who could have called at that moment. With few calls the prior dominates.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from router.domain.attribution.hypotheses import (
    Cause,
    Hypothesis,
    Phone,
    Trait,
    hypotheses,
    phone_of,
)
from router.domain.attribution.model import USUAL, USUAL_TRAITS, Model, kind_of
from router.domain.attribution.population import Crowd
from router.domain.attribution.terms import CallContext, Origin
from router.domain.visitors.site import NumberKind

ROUNDS = 10
_SHAPE = 4.0  # weight of the prior shape of delays, in calls for each bin
_LEVEL = 3.0  # weight of the prior level, in calls
_FORGED, _REDIALLED = 1.0, 10.0  # prior weight, in calls of known phones
# Safety factor for forged phones: a call lost to a forger costs more than a redial. Without forgery
# it changes nothing.
CAUTION = 3.0
_TRUST = 20.0  # weight of a trait's prior share, in people
_Bin = tuple[Cause, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A training case: the call's context, its population, and the visitor if proved."""

    context: CallContext
    crowd: Crowd
    visitor_id: str | None = None  # known by a promo code or a form


@dataclass(slots=True)
class _Prepared:
    """A case with its hypotheses, indistinguishable ones merged."""

    case: Case
    phone: Phone
    hypotheses: list[Hypothesis]


@dataclass(slots=True)
class _Sums:
    """The expected counts of one iteration: calls by cause, trait and origin, and exposure."""

    calls: defaultdict[_Bin, float] = field(default_factory=lambda: defaultdict(float))
    exposure: defaultdict[_Bin, float] = field(default_factory=lambda: defaultdict(float))
    hours: float = 0.0
    callers: defaultdict[Trait, float] = field(default_factory=lambda: defaultdict(float))
    others: defaultdict[Trait, float] = field(default_factory=lambda: defaultdict(float))
    known: float = 0.0
    leased: float = 0.0
    forged: float = 0.0  # calls of known phones by another visitor on the page
    redialled: float = 0.0  # those, and calls by the phone's earlier visitor
    on_page: float = 0.0  # calls per hour of those on the page, to one number
    origins: defaultdict[Origin, float] = field(default_factory=lambda: defaultdict(float))


def train_model(
    cases: Sequence[Case], *, phones: int, start: Model = USUAL, rounds: int = ROUNDS
) -> Model:
    """Train the model of a site. `phones`: number of phones that called; `start`: the previous
    model.
    """
    prepared = [_prepare(case) for case in cases if _can_train(case.context)]
    model = replace(start, phones=max(phones, 1))
    if len(prepared) < 2:
        return model
    model = replace(model, forged=model.forged and model.forged / CAUTION)
    moments = [item.case.context.at for item in prepared]
    hours = max(1.0, (max(moments) - min(moments)).total_seconds() / 3600)
    for _ in range(rounds):
        model = _improved(model, _guess(prepared, model), hours, len(prepared))
    return replace(model, calls=len(prepared), forged=min(1.0, CAUTION * (model.forged or 0.0)))


def _can_train(context: CallContext) -> bool:
    return context.number is None or context.number.kind is NumberKind.DYNAMIC


def _prepare(case: Case) -> _Prepared:
    phone = phone_of(case.context)
    alike: dict[object, Hypothesis] = {}
    for hypothesis in hypotheses(case.context, phone):
        who = hypothesis.candidate and (
            hypothesis.candidate.source,
            hypothesis.candidate.channel,
            _is(hypothesis, case.visitor_id),
        )
        key = (
            hypothesis.cause,
            hypothesis.bin,
            hypothesis.traits,
            hypothesis.own,
            hypothesis.silence,
            who,
        )
        if before := alike.get(key):
            hypothesis = replace(before, count=before.count + hypothesis.count)
        alike[key] = hypothesis
    return _Prepared(case, phone, list(alike.values()))


def _is(hypothesis: Hypothesis, visitor_id: str | None) -> bool:
    return hypothesis.candidate is not None and hypothesis.candidate.visitor_id == visitor_id


def _guess(prepared: Sequence[_Prepared], model: Model) -> _Sums:
    """Expectation step: who called, by the present model."""
    sums = _Sums()
    for item in prepared:
        _add_call(sums, item, model)
        _add_crowd(sums, item.case.crowd, model)
    return sums


def _weights(item: _Prepared, model: Model) -> list[float]:
    """The weights of a call's hypotheses; only those of its visitor where that is known."""
    weights = [
        model.weight(hypothesis, item.phone, item.case.context) for hypothesis in item.hypotheses
    ]
    if item.case.visitor_id is None:
        return weights

    certain = [_is(hypothesis, item.case.visitor_id) for hypothesis in item.hypotheses]
    sure = [weight * is_it for weight, is_it in zip(weights, certain, strict=True)]
    if sum(sure):
        return sure
    return weights


def _add_call(sums: _Sums, item: _Prepared, model: Model) -> None:
    weights = _weights(item, model)
    total = sum(weights)
    for hypothesis, weight in zip(item.hypotheses, weights, strict=True):
        share = weight / total
        sums.calls[hypothesis.cause, hypothesis.bin] += share
        if item.phone.known and not item.phone.elsewhere:
            by_another = hypothesis.cause is Cause.PRESENT and not hypothesis.own
            sums.forged += share * by_another
            sums.redialled += share * (by_another or hypothesis.cause is Cause.REDIAL)
        if hypothesis.candidate is not None:
            sums.origins[hypothesis.candidate.source, hypothesis.candidate.channel] += share
        if hypothesis.cause in {Cause.PRESENT, Cause.GONE}:
            for trait in hypothesis.traits:
                sums.callers[trait] += share
                sums.others[trait] += hypothesis.count - share
            if not item.phone.hidden:
                sums.leased += share
                sums.known += share * item.phone.known * (1.0 - hypothesis.own)


def _add_crowd(sums: _Sums, crowd: Crowd, model: Model) -> None:
    """Add the exposure of the crowd of each call."""
    rates = {
        Cause.PRESENT: model.present,
        Cause.GONE: model.gone,
        Cause.REDIAL: model.redial,
        Cause.UNATTRIBUTED: (model.unattributed,),
    }
    bins = list(crowd.bins())
    hours = 1.0 / sum(rates[cause][index] * count for cause, index, count in bins)
    for cause, index, count in bins:
        sums.exposure[cause, index] += count * hours
    sums.hours += hours
    present = (rate * count for rate, count in zip(model.present, crowd.present, strict=True))
    sums.on_page += sum(present) / max(1, crowd.numbers)


def _improved(model: Model, sums: _Sums, hours: float, cases: int) -> Model:
    """Maximisation step: the model, by who probably called."""
    scale = sums.hours / hours  # only ratios matter, so rates are kept at calls per hour
    unattributed = (sums.calls[Cause.UNATTRIBUTED, 0] + _LEVEL) / (
        sums.exposure[Cause.UNATTRIBUTED, 0] + _LEVEL / USUAL.unattributed
    )
    return replace(
        model,
        present=_rates(sums, Cause.PRESENT, USUAL.present, scale),
        gone=_rates(sums, Cause.GONE, USUAL.gone, scale),
        redial=_rates(sums, Cause.REDIAL, USUAL.redial, scale),
        unattributed=unattributed * scale,
        known=(sums.known + 1.0) / (sums.leased + 20.0),
        forged=(sums.forged + _FORGED) / (sums.redialled + _REDIALLED),
        on_page=(sums.on_page + USUAL.on_page) / (cases + 1),
        traits=_traits(sums),
        origins=_origins(sums),
    )


def _rates(sums: _Sums, cause: Cause, usual: Sequence[float], scale: float) -> tuple[float, ...]:
    """Calls per hour of exposure, shrunk towards the prior shape at the site's level."""
    calls = expected = 0.0
    for index, rate in enumerate(usual):
        calls += sums.calls[cause, index]
        expected += rate * sums.exposure[cause, index]
    level = (calls + _LEVEL) / (expected + _LEVEL)

    rates = []
    for index, rate in enumerate(usual):
        made, hours = sums.calls[cause, index], sums.exposure[cause, index]
        rates.append(scale * (made + _SHAPE) / (hours + _SHAPE / (rate * level)))
    return tuple(rates)


def _origins(sums: _Sums) -> tuple[tuple[str | None, str | None, float], ...]:
    """The origins of callers."""
    total = sum(sums.origins.values())
    if not total:
        return ()
    return tuple((*origin, share / total) for origin, share in sums.origins.items())


def _traits(sums: _Sums) -> dict[str, dict[str, float]]:
    """For each trait and value: its share among callers over its share among the others."""
    values: defaultdict[str, list[str]] = defaultdict(list)
    for trait, value in sums.others:
        values[trait].append(value)
    learned = {trait: _ratios(sums, trait, found) for trait, found in values.items()}
    return {trait: dict(ratios) for trait, ratios in USUAL.traits.items()} | learned


def _ratios(sums: _Sums, trait: str, values: Sequence[str]) -> dict[str, float]:
    usual: Mapping[str, tuple[float, float]] = USUAL_TRAITS.get(kind_of(trait), {})
    callers = sum(sums.callers[trait, value] for value in values)
    others = sum(sums.others[trait, value] for value in values)
    ratios = {value: caller / other for value, (caller, other) in usual.items()}
    for value in values:
        seen = (sums.others[trait, value] + 0.5) / (others + 0.5 * len(values))
        expected_caller, expected_other = usual.get(value, (seen, seen))
        caller = (sums.callers[trait, value] + _TRUST * expected_caller) / (callers + _TRUST)
        other = (sums.others[trait, value] + _TRUST * expected_other) / (others + _TRUST)
        ratios[value] = caller / other
    return ratios
