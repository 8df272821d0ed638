"""The hypotheses that explain a call, with their evidence.

A visitor calls while on the page (PRESENT) or after leaving it (GONE); a phone that called before
calls again (REDIAL); or an unknown caller calls (UNATTRIBUTED). Hypotheses do not depend on
training: the model weighs them to attribute a call, and is trained on them.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from router.domain.attribution.terms import LOOK_BACK, CallContext, CandidateFacts
from router.domain.visitors.lease import Lease
from router.domain.visitors.site import NumberKind

# seconds on the page: where each bin begins, the last is open
AGES = (
    0.0,
    15,
    30,
    60,
    120,
    240,
    480,
    900,
    1800,
)
DELAYS = (  # seconds since the last heartbeat, likewise; after the last bin no call is expected
    *(0.0, 15, 30, 60, 120, 300, 600, 1200, 2400, 3600),
    *(7200.0, 14400, 28800, 57600, 115_200, 230_400, 460_800, 921_600, LOOK_BACK.total_seconds()),
)
JUST_TAPPED, TAPPED_LATELY = 45.0, 300.0  # seconds
# Probability that a phone number in a form is the visitor's own. Forms are unverified, so earlier
# calls rank first, and several visitors with one number share this.
FORM_OWN = 0.9
# rate of a visitor who has called to call from another phone, relative to one who has not
AGAIN = 0.15
REGION = "region "  # a trait for each region: a phone from the capital is weak evidence

Trait = tuple[str, str]  # trait and value


class Cause(StrEnum):
    """Cause of a call."""

    PRESENT = "present"
    GONE = "gone"
    REDIAL = "redial"
    UNATTRIBUTED = "unattributed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """One explanation of a call."""

    cause: Cause
    bin: int = 0  # of AGES or DELAYS
    # None: an unknown caller, or one of `count` indistinguishable ones
    candidate: CandidateFacts | None = None
    traits: tuple[Trait, ...] = ()
    own: float = 0.0  # probability that the phone is this visitor's
    # rate of calling from this phone, relative to a visitor who has not called yet
    silence: float = 1.0
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """Facts about the calling phone."""

    hidden: bool  # anonymous: no evidence
    known: bool  # it has called before
    owners: dict[str, float]  # probability by visitor
    calls: int = 0  # number of its known earlier calls
    claimed: bool = False  # it was entered in a form, which is unverified
    elsewhere: bool = False  # its earlier calls were to other numbers of the site
    delay: int = 6  # of DELAYS, since its last call


def phone_of(context: CallContext) -> Phone:
    """The phone's probable owners, by earlier calls and forms."""
    owners: dict[str, float] = {}
    if context.earlier:
        for candidate in context.earlier[0].candidates:
            owners[candidate.visitor_id] = (
                owners.get(candidate.visitor_id, 0.0) + candidate.probability
            )
    claimants = {candidate.visitor_id for candidate in context.candidates if candidate.form}
    unowned = max(0.0, 1.0 - sum(owners.values()))
    for visitor_id in claimants:
        owners[visitor_id] = owners.get(visitor_id, 0.0) + FORM_OWN * unowned / len(claimants)

    number = context.number and context.number.e164
    return Phone(
        hidden=context.caller is None,
        known=bool(context.earlier),
        owners=owners,
        calls=len(context.earlier),
        claimed=bool(claimants),
        elsewhere=all(call.number != number for call in context.earlier),
        delay=_delay(context),
    )


def _delay(context: CallContext) -> int:
    """The bin of the time since the phone's last call; a typical one without calls."""
    if not context.earlier:
        return 6
    delay = bin_of(DELAYS, (context.at - context.earlier[0].at).total_seconds())
    if delay is None:
        return len(DELAYS) - 2
    return delay


def hypotheses(context: CallContext, phone: Phone) -> Iterator[Hypothesis]:
    """All hypotheses for a call."""
    yield from _leases(context, phone)
    yield from _others(context, phone)
    if context.number is None or context.number.kind is not NumberKind.STATIC:
        for delay, count in enumerate(context.rest):
            if count:
                yield Hypothesis(cause=Cause.GONE, bin=delay, count=count)
    yield Hypothesis(cause=Cause.UNATTRIBUTED)


def _leases(context: CallContext, phone: Phone) -> Iterator[Hypothesis]:
    seen: set[str] = set()
    for candidate in context.candidates:
        lease = candidate.lease
        if lease is None or candidate.visitor_id in seen or lease.started_at > context.at:
            continue
        seen.add(candidate.visitor_id)  # the newest lease counts for the visitor
        cause, where = standing(lease, context.at)
        own = phone.owners.get(candidate.visitor_id, 0.0)
        if where is None:
            continue
        found = Hypothesis(cause=cause, bin=where, candidate=candidate, own=own)
        if not own:  # evidence for a visitor's earlier call is not evidence for this one
            silence = 1.0 - (1.0 - AGAIN) * round(candidate.called, 2)
            found = replace(found, traits=_traits(context, candidate, cause), silence=silence)
        yield found


def _others(context: CallContext, phone: Phone) -> Iterator[Hypothesis]:
    """Hypotheses without a lease of this number: visitors who called before or entered their phone
    number.
    """
    if not (phone.known or phone.claimed):
        return
    unnamed = 1.0
    met: set[str] = set()
    for candidate in sorted(context.candidates, key=lambda facts: facts.lease is not None):
        share = phone.owners.get(candidate.visitor_id, 0.0)
        if share and candidate.visitor_id not in met:
            met.add(candidate.visitor_id)
            unnamed -= share
            yield Hypothesis(cause=Cause.REDIAL, bin=phone.delay, candidate=candidate, own=share)
    if context.earlier and unnamed > 0:
        yield Hypothesis(cause=Cause.REDIAL, bin=phone.delay, own=unnamed)


def standing(lease: Lease, at: datetime) -> tuple[Cause, int | None]:
    """Whether the visitor was on the page, and for how long, or gone since when (None: too long
    ago).

    Later heartbeats only extend the presence, so the result for a past moment never changes.
    """
    if at < lease.frozen_at:
        return Cause.PRESENT, bin_of(AGES, (at - lease.started_at).total_seconds(), open_end=True)
    return Cause.GONE, bin_of(DELAYS, (at - lease.seen_at).total_seconds())


def bin_of(edges: tuple[float, ...], value: float, *, open_end: bool = False) -> int | None:
    """Which bin a value falls in; None outside."""
    index = bisect_right(edges, value) - 1
    if 0 <= index < len(edges) - 1 or (open_end and index >= 0):
        return index
    return None


def _traits(context: CallContext, candidate: CandidateFacts, cause: Cause) -> tuple[Trait, ...]:
    return (
        (f"tap_{cause}", _tap(context, candidate, cause)),
        ("contacts", {True: "yes", False: "no", None: "unknown"}[candidate.contacts]),
        (f"{REGION}{context.caller_region or ''}", _region(context, candidate)),
        ("source", candidate.source or ""),
    )


def _tap(context: CallContext, candidate: CandidateFacts, cause: Cause) -> str:
    if candidate.tapped_at is None or candidate.tapped_at > context.at:
        return "no"
    if cause is Cause.GONE:  # the delay already contains this
        return "yes"
    ago = (context.at - candidate.tapped_at).total_seconds()
    if ago < JUST_TAPPED:
        return "now"
    if ago < TAPPED_LATELY:
        return "lately"
    return "before"


def _region(context: CallContext, candidate: CandidateFacts) -> str:
    if not context.caller_region or not candidate.region:
        return "unknown"
    if context.caller_region == candidate.region:
        return "same"
    return "other"
