"""What a site's own calls have taught of its callers; a new site begins with what is usual.

Rates are calls per hour of one visitor on the page, of one visitor gone for so long, of one phone
that called before, and of people nobody knows to one number. Only their ratios matter. A trait's
likelihood ratio says how much more often it is seen in those who call than in those who do not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from router.domain.attribution.hypotheses import DELAYS, REGION, Cause, Hypothesis, Phone
from router.domain.attribution.terms import Question
from router.domain.visitors.site import NumberKind

OWN_PHONE = 0.9  # of those who have called, how many call again from the same phone
ANOTHER_NUMBER = 0.02  # how readily a known phone calls a number that it never called before
# And one that its visitor was never shown: almost never. Rather somebody has it on the page before
# them, and calls from a phone that others use, too: an office has one number for all, and who tests
# a site calls from one phone.
UNSEEN_NUMBER = 0.0002
# A phone that somebody else left in a form: how readily a holder of the number calls from it all
# the same (the form may be an operator's, another browser's or a forger's), and how readily
# somebody of whom nothing is known does.
HOLDER_DESPITE_FORM, STRAY_DESPITE_FORM = 0.5, 0.01
# How readily a visitor on the page calls from a phone that called once before as somebody else: a
# caller ID is easily forged, and one call proves little. Of each further call it proves more. This
# holds until the site has learned how often it happens there: see `Model.forged`.
PRESENT_DESPITE_CALL = 0.003
STATIC_RATE = 0.05  # calls per hour of all who read a static number somewhere
STRAY_DAYS = 90  # TrackingNumber.strays counts the calls of so many days
_STEADY = 5.0  # strays that a number is given on trust: how far one number may differ from its site

# Of those who call, and of those who do not, how many show each value of a trait.
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
    stray: float
    known: float = 0.05  # share of calls that come from phones known as somebody else's
    phones: int = 100  # how many phones are known
    # Of the calls of a known phone to the number it called before: the share that somebody else
    # makes who is on the page. None: nothing is learned yet.
    forged: float | None = None
    on_page: float = 0.25  # calls per hour of those on the page, to one number in the mean
    traits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    origins: tuple[
        tuple[str | None, str | None, float], ...
    ] = ()  # source, channel, share of those who call
    calls: int = 0  # that taught it

    def weight(self, hypothesis: Hypothesis, phone: Phone, question: Question) -> float:
        """How probable a hypothesis is; only the ratio to the others counts."""
        return (
            self.rate(hypothesis, phone, question)
            * self.likelihood(hypothesis, phone)
            * hypothesis.count
        )

    def rate(self, hypothesis: Hypothesis, phone: Phone, question: Question) -> float:
        """Calls per hour to be expected of one such visitor, phone or number."""
        match hypothesis.cause:
            case Cause.PRESENT:
                return self.present[hypothesis.bin]
            case Cause.GONE:
                return self.gone[hypothesis.bin]
            case Cause.REDIAL:
                return self.redial[hypothesis.bin] * _strangeness(hypothesis, phone, question)
            case Cause.STRAY:
                return self.stray_rate(question)

    def stray_rate(self, question: Question) -> float:
        """Calls per hour of people nobody knows: more to numbers that had more of them, beside the
        site's others.
        """
        number = question.number
        if number is None:
            return self.stray
        if number.kind is NumberKind.STATIC:
            return STATIC_RATE
        mean = number.strays if question.strays is None else question.strays
        return self.stray * (number.strays + _STEADY) / (mean + _STEADY)

    def likelihood(self, hypothesis: Hypothesis, phone: Phone) -> float:
        """How much more often such a caller shows what was seen than anybody else."""
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
            despite = STRAY_DESPITE_FORM if hypothesis.cause is Cause.STRAY else HOLDER_DESPITE_FORM
            return (
                OWN_PHONE * hypothesis.own + (1.0 - hypothesis.own) * (1.0 - self.known) * despite
            )
        return OWN_PHONE * hypothesis.own + (1.0 - hypothesis.own) * self._despite_calls(
            hypothesis, phone
        )

    def _despite_calls(self, hypothesis: Hypothesis, phone: Phone) -> float:
        """How readily somebody else than before calls from a phone that has called."""
        learned = self.known / max(self.phones, 1)
        if hypothesis.cause is not Cause.PRESENT:
            return learned
        if self.forged is None:
            return max(learned, PRESENT_DESPITE_CALL / phone.calls**2)
        return max(learned, self.forged * self.redial[phone.delay] / self.on_page / phone.calls)


def _strangeness(hypothesis: Hypothesis, phone: Phone, question: Question) -> float:
    """How much less readily a known phone calls this number than the one it called before."""
    if not phone.elsewhere:
        return 1.0
    left_in_form = hypothesis.candidate is not None and hypothesis.candidate.form
    dynamic = question.number is not None and question.number.kind is NumberKind.DYNAMIC
    return UNSEEN_NUMBER if dynamic and question.earlier and not left_in_form else ANOTHER_NUMBER


def kind_of(trait: str) -> str:
    """The trait of which this is a case: what is usual is known of all regions together."""
    return REGION.strip() if trait.startswith(REGION) else trait


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
    stray=0.01,
    traits={
        trait: {value: caller / other for value, (caller, other) in values.items()}
        for trait, values in USUAL_TRAITS.items()
    },
)
