"""Attributes a call: weighs every hypothesis by the site's model, and names a visitor if the
probability is high enough.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from router.domain.attribution.hypotheses import (
    REGION,
    Cause,
    Hypothesis,
    Phone,
    hypotheses,
    phone_of,
)
from router.domain.attribution.model import USUAL, Model
from router.domain.attribution.terms import (
    Attribution,
    CallContext,
    Candidate,
    CandidateFacts,
    Evidence,
    Origin,
    Share,
    Verdict,
)
from router.domain.visitors.site import NumberKind

MOST_CANDIDATES = 10
MOST_ORIGINS = 20
_FAINT = 0.0005  # candidates below this are dropped
_CLOSE = 0.5  # a second candidate this close to the first makes the call contested
_TAPS = {"now", "lately", "yes"}
_REGIONS = {"same": Evidence.SAME_REGION, "other": Evidence.OTHER_REGION}


@dataclass(slots=True)
class _Weighed:
    """All hypotheses about one visitor, combined."""

    candidate: CandidateFacts
    probability: float = 0.0
    hypotheses: list[Hypothesis] = field(default_factory=list)


def attribute(context: CallContext, model: Model = USUAL, certainty: float = 0.5) -> Attribution:
    """Attribute a call. A visitor is named at `certainty` or above; the source may be known
    although the visitor is not.
    """
    if said := next((c for c in context.candidates if c.code), None):
        return _by_code(context, said)
    phone = phone_of(context)
    weighed, origins, unknown = _weigh(context, phone, model)
    ranked = sorted(weighed.values(), key=lambda visitor: -visitor.probability)
    likely = [visitor for visitor in ranked[:MOST_CANDIDATES] if visitor.probability >= _FAINT]
    candidates = tuple(_candidate(context, visitor, phone) for visitor in likely)
    named = None
    if candidates and candidates[0].probability >= certainty:
        named = candidates[0]
    source, channel = _origin(context, named, _shared(origins, certainty))

    probability = unknown
    if named is not None:
        probability = min(1.0, named.probability)
    return Attribution(
        verdict=_verdict(context, phone, ranked, named, unknown, certainty),
        probability=probability,
        named=named,
        candidates=candidates,
        source=source,
        channel=channel,
        unknown=unknown,
        origins=origins,
    )


def _origin(context: CallContext, named: Candidate | None, shared: Origin) -> Origin:
    """That of the visit that led to the call, as is its campaign; else the candidates' own."""
    source, channel = shared
    for candidate in context.candidates:
        if named is not None and candidate.visit_id == named.visit_id:
            source, channel = candidate.source, candidate.channel
            break
    if context.number is not None and context.number.kind is NumberKind.STATIC:
        channel = context.number.channel or channel
        if named is None:
            source = None
    return source, channel


def kept_origins(origins: Mapping[Origin, float]) -> tuple[Share, ...]:
    """The origins that are stored with a call, the likeliest first."""
    ranked = sorted(origins.items(), key=lambda item: -item[1])[:MOST_ORIGINS]
    return tuple(
        (source, channel, round(share, 6)) for (source, channel), share in ranked if share >= _FAINT
    )


def _weigh(
    context: CallContext, phone: Phone, model: Model
) -> tuple[dict[str, _Weighed], dict[Origin, float], float]:
    """Probabilities of visitors, of origins and of an unknown caller."""
    weights = []
    for hypothesis in hypotheses(context, phone):
        weights.append((hypothesis, model.weight(hypothesis, phone, context)))
    total = sum(weight for _, weight in weights)
    visitors: dict[str, _Weighed] = {}
    origins: defaultdict[Origin, float] = defaultdict(float)
    before = None
    if context.earlier and context.earlier[0].origins:
        before = context.earlier[0]
    unknown = again = 0.0
    for hypothesis, weight in weights:
        share, candidate = weight / (total or 1.0), hypothesis.candidate
        carried = (
            before is not None
            and hypothesis.cause is Cause.REDIAL
            and not (candidate and candidate.form)
        )
        again += share * carried
        if candidate is not None:
            visitor = visitors.setdefault(candidate.visitor_id, _Weighed(candidate))
            visitor.probability += share
            visitor.hypotheses.append(hypothesis)
            origins[candidate.source, candidate.channel] += share * (not carried)
        elif hypothesis.cause is Cause.GONE:
            for source, channel, part in model.origins:
                origins[source, channel] += share * part
        elif before is not None and carried:
            unknown += share * before.unnamed_unknown()
        else:
            unknown += share

    if before is not None:  # a repeat caller keeps the first origin
        for source, channel, part in before.origins:
            origins[source, channel] += again * part
    return visitors, dict(origins), min(1.0, unknown)


def _by_code(context: CallContext, said: CandidateFacts) -> Attribution:
    """The visit of the promo code that the caller gave."""
    phone = phone_of(context)
    known = []
    for hypothesis in hypotheses(context, phone):
        if hypothesis.candidate and hypothesis.candidate.visit_id == said.visit_id:
            known.append(hypothesis)
    visitor = _Weighed(said, probability=1.0, hypotheses=known)
    named = _candidate(context, visitor, phone)
    channel, verdict = said.channel, _standing_verdict(context, visitor)
    if verdict is Verdict.REPEAT:
        verdict = Verdict.EXACT
    if context.number is not None and context.number.kind is NumberKind.STATIC:
        channel, verdict = context.number.channel or channel, Verdict.STATIC

    return Attribution(
        verdict=verdict,
        probability=1.0,
        named=named,
        candidates=(named,),
        source=said.source,
        channel=channel,
        origins={(said.source, said.channel): 1.0},
    )


def _verdict(
    context: CallContext,
    phone: Phone,
    ranked: list[_Weighed],
    named: Candidate | None,
    unknown: float,
    certainty: float,
) -> Verdict:
    if context.number is not None and context.number.kind is NumberKind.STATIC:
        return Verdict.STATIC
    shares = [visitor.probability for visitor in ranked]
    best, second = [*shares, 0.0, 0.0][:2]
    if named is not None:
        if second > _CLOSE * best:
            return Verdict.CONTESTED
        return _standing_verdict(context, ranked[0])
    if second >= _FAINT and best + second > unknown and 1.0 - unknown >= certainty:
        return Verdict.CONTESTED
    if context.earlier:
        return Verdict.REPEAT
    return Verdict.UNKNOWN


def _standing_verdict(context: CallContext, visitor: _Weighed) -> Verdict:
    """The verdict by the visitor's presence; without a lease of this number, by the phone."""
    causes = {hypothesis.cause for hypothesis in visitor.hypotheses}
    if Cause.PRESENT in causes:
        return Verdict.EXACT
    lease = visitor.candidate.lease
    if lease is not None and lease.frozen_at <= context.at < lease.ends_at:
        return Verdict.FROZEN
    if Cause.REDIAL in causes or lease is None:
        return Verdict.REPEAT
    return Verdict.STALE


def _candidate(context: CallContext, visitor: _Weighed, phone: Phone) -> Candidate:
    caller, lease_id = visitor.candidate, None
    for hypothesis in visitor.hypotheses:
        if hypothesis.candidate and hypothesis.cause is not Cause.REDIAL:
            caller = hypothesis.candidate
            if caller.lease is not None:
                lease_id = caller.lease.id
            break
    return Candidate(
        lease_id=lease_id,
        visitor_id=caller.visitor_id,
        visit_id=_visit(context, visitor, caller),
        probability=min(1.0, visitor.probability),
        evidence=tuple(_evidence(context, visitor, phone)),
    )


def _visit(context: CallContext, visitor: _Weighed, caller: CandidateFacts) -> str:
    """The visit that led to the call: the lease's while it is valid, otherwise that of the first
    call.
    """
    if caller.lease is not None and context.at < caller.lease.ends_at:
        return caller.visit_id
    first = next((h.candidate for h in visitor.hypotheses if h.cause is Cause.REDIAL), None)
    if first:
        return first.visit_id
    return caller.visit_id


def _evidence(context: CallContext, visitor: _Weighed, phone: Phone) -> list[Evidence]:
    found: list[Evidence] = []
    lease = visitor.candidate.lease
    for hypothesis in visitor.hypotheses:
        seen = dict(hypothesis.traits)
        if hypothesis.cause is Cause.PRESENT:
            found.append(Evidence.ON_PAGE)
        elif hypothesis.cause is Cause.GONE and lease is not None:
            frozen = context.at < lease.ends_at
            found.append(Evidence.FROZEN if frozen else Evidence.ENDED)
            if _retaken(context, visitor.candidate):
                found.append(Evidence.RETAKEN)
        if seen.get(f"tap_{hypothesis.cause}") in _TAPS:
            found.append(Evidence.TAPPED)
        if seen.get("contacts") == "yes":
            found.append(Evidence.CONTACTS)
        found += _regions(seen)
    if visitor.candidate.code:
        found.append(Evidence.CODE)
    if visitor.candidate.form:
        found.append(Evidence.FORM)
    if context.earlier:
        own = phone.owners.get(visitor.candidate.visitor_id, 0.0)
        found.append(Evidence.CALLED_BEFORE if own >= _CLOSE else Evidence.CALLED_OTHERS)
    return list(dict.fromkeys(found))


def _regions(seen: Mapping[str, str]) -> Iterator[Evidence]:
    for trait, value in seen.items():
        if trait.startswith(REGION) and value in _REGIONS:
            yield _REGIONS[value]


def _retaken(context: CallContext, candidate: CandidateFacts) -> bool:
    if candidate.lease is None:
        return False
    for other in context.candidates:
        if other.lease is None or other.visitor_id == candidate.visitor_id:
            continue
        if candidate.lease.ends_at <= other.lease.started_at <= context.at:
            return True
    return False


def _shared(origins: dict[Origin, float], certainty: float) -> Origin:
    """The source and channel with enough probability, summed over candidates."""
    found: list[str | None] = []
    for index in (0, 1):
        totals: defaultdict[str | None, float] = defaultdict(float)
        for origin, share in origins.items():
            totals[origin[index]] += share
        value, share = max(totals.items(), key=lambda item: item[1], default=(None, 0.0))
        found.append(value if share >= certainty else None)
    return found[0], found[1]
