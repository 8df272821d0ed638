"""The model of a site's callers, trained on its calls; a new site starts with the prior.

Rates are calls per hour of one visitor on the page, of one visitor by time since leaving, of one
phone that called before, and of unknown callers to one number. Only their ratios matter. A trait's
likelihood ratio is its frequency among callers divided by that among others.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from router.domain.attribution.hypotheses import DELAYS, REGION, Cause, Hypothesis, Phone
from router.domain.attribution.terms import CallContext
from router.domain.visitors.site import NumberKind

OWN_PHONE = 0.9  # share of callers who call again from the same phone
ANOTHER_NUMBER = 0.02  # factor for a known phone calling a number that it never called before
# Factor for a number that its visitor was never shown: almost never. More likely another visitor on
# the page calls from a shared phone, such as an office's or a tester's.
UNSEEN_NUMBER = 0.0002
# A phone that another visitor entered in a form: factors for a holder of the number who still calls
# from it (the form may be an operator's, another browser's or forged), and for an unknown caller.
HOLDER_DESPITE_FORM, UNATTRIBUTED_DESPITE_FORM = 0.5, 0.01
# Factor for a visitor on the page who calls from a phone that once called as another visitor: a
# caller ID is easily forged, so one call proves little; each further call proves more. This holds
# until the site has learned how often it happens there: see `Model.forged`.
PRESENT_DESPITE_CALL = 0.003
STATIC_RATE = 0.05  # calls per hour from all readers of a static number
UNATTRIBUTED_DAYS = 90  # days of calls counted in TrackingNumber.unattributed_calls
_STEADY = 5.0  # prior count of unattributed calls: how far a number may differ from its site

# Share of callers, and of others, with each value of a trait.
USUAL_TRAITS: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "tap_present": {
        "no": (0.55, 0.97),
        "now": (0.35, 0.002),
        "lately": (0.07, 0.013),
        "before": (0.03, 0.015),
    },
    "tap_gone": {"no": (0.9, 0.97), "yes": (0.1, 0.03)},
    "contacts": {"yes": (0.4, 0.15), "no": (0.6, 0.85)},
    "region": {"same": (0.7, 0.35), "other": (0.3, 0.65)},
}
_USUAL_PRESENT = (0.3, 0.5, 0.6, 0.7, 0.7, 0.6, 0.5, 0.4, 0.3)
# How many of 1,000 visitors call in each bin after leaving; how many of 1,000 phones call again.
_USUAL_GONE = (0.5, 0.5, 0.8, 1, 1.5, 2, 2, 1.5, 1.2, 1, 1, 1, 1, 0.8, 0.6, 0.5, 0.4, 0.2)
_USUAL_REDIAL = (4, 4, 8, 10, 15, 15, 15, 15, 10, 15, 15, 15, 15, 20, 25, 30, 35, 40)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Rates in calls per hour, by `AGES` and `DELAYS`; likelihood ratios by trait and value."""

    present: tuple[float, ...]
    gone: tuple[float, ...]
    redial: tuple[float, ...]  # to the number it called before
    unattributed: float
    known: float = 0.05  # share of calls from phones known as another visitor's
    phones: int = 100  # how many phones are known
    # Of the calls of a known phone to the number it called before: the share made by another
    # visitor who is on the page. None: not trained yet.
    forged: float | None = None
    on_page: float = 0.25  # calls per hour of those on the page, to one number in the mean
    traits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    origins: tuple[
        tuple[str | None, str | None, float], ...
    ] = ()  # source, channel, share of those who call
    calls: int = 0  # it was trained on

    def weight(self, hypothesis: Hypothesis, phone: Phone, context: CallContext) -> float:
        """Weight of a hypothesis; only ratios matter."""
        return (
            self.rate(hypothesis, phone, context)
            * self.likelihood(hypothesis, phone)
            * hypothesis.count
        )

    def rate(self, hypothesis: Hypothesis, phone: Phone, context: CallContext) -> float:
        """Expected calls per hour of one such visitor, phone or number."""
        match hypothesis.cause:
            case Cause.PRESENT:
                return self.present[hypothesis.bin]
            case Cause.GONE:
                return self.gone[hypothesis.bin]
            case Cause.REDIAL:
                return self.redial[hypothesis.bin] * _strangeness(hypothesis, phone, context)
            case Cause.UNATTRIBUTED:
                return self.unattributed_rate(context)

    def unattributed_rate(self, context: CallContext) -> float:
        """Calls per hour from unknown callers: more to numbers that had more of them than the
        site's others.
        """
        number = context.number
        if number is None:
            return self.unattributed
        if number.kind is NumberKind.STATIC:
            return STATIC_RATE
        mean = context.unattributed_calls
        if mean is None:
            mean = number.unattributed_calls
        return self.unattributed * (number.unattributed_calls + _STEADY) / (mean + _STEADY)

    def likelihood(self, hypothesis: Hypothesis, phone: Phone) -> float:
        """Likelihood ratio of the observed traits."""
        ratio = 1.0
        for trait, value in hypothesis.traits:
            values = self.traits.get(trait) or self.traits.get(kind_of(trait), {})
            ratio *= values.get(value, 1.0)
        return ratio * hypothesis.silence * self._by_phone(hypothesis, phone)

    def _by_phone(self, hypothesis: Hypothesis, phone: Phone) -> float:
        if hypothesis.cause is Cause.REDIAL:
            return hypothesis.own  # the rate is that of one phone already
        if phone.hidden:
            return 1.0
        if not phone.known and not phone.claimed:
            return 1.0 - self.known
        if not phone.known:
            despite = HOLDER_DESPITE_FORM
            if hypothesis.cause is Cause.UNATTRIBUTED:
                despite = UNATTRIBUTED_DESPITE_FORM
            return (
                OWN_PHONE * hypothesis.own + (1.0 - hypothesis.own) * (1.0 - self.known) * despite
            )
        return OWN_PHONE * hypothesis.own + (1.0 - hypothesis.own) * self._despite_calls(
            hypothesis, phone
        )

    def _despite_calls(self, hypothesis: Hypothesis, phone: Phone) -> float:
        """Factor for another visitor calling from a phone that has called."""
        learned = self.known / max(self.phones, 1)
        if hypothesis.cause is not Cause.PRESENT:
            return learned
        if self.forged is None:
            return max(learned, PRESENT_DESPITE_CALL / phone.calls**2)
        return max(learned, self.forged * self.redial[phone.delay] / self.on_page / phone.calls)


def _strangeness(hypothesis: Hypothesis, phone: Phone, context: CallContext) -> float:
    """Factor for a known phone calling another number than before."""
    if not phone.elsewhere:
        return 1.0
    left_in_form = hypothesis.candidate is not None and hypothesis.candidate.form
    dynamic = context.number is not None and context.number.kind is NumberKind.DYNAMIC
    if dynamic and context.earlier and not left_in_form:
        return UNSEEN_NUMBER
    return ANOTHER_NUMBER


def kind_of(trait: str) -> str:
    """The general trait: the prior is common to all regions."""
    if trait.startswith(REGION):
        return REGION.strip()
    return trait


def bin_hours(edges: tuple[float, ...]) -> tuple[float, ...]:
    """How long each closed bin is, in hours."""
    return tuple((high - low) / 3600 for low, high in pairwise(edges))


def _per_hour(thousandths: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(
        part / 1000 / hours for part, hours in zip(thousandths, bin_hours(DELAYS), strict=True)
    )


USUAL = Model(
    present=_USUAL_PRESENT,
    gone=_per_hour(_USUAL_GONE),
    redial=_per_hour(_USUAL_REDIAL),
    unattributed=0.01,
    traits={
        trait: {value: caller / other for value, (caller, other) in values.items()}
        for trait, values in USUAL_TRAITS.items()
    },
)
