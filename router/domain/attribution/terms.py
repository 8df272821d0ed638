"""The terms of attribution: every lease that could have led to a call is weighed, and a visitor is
named only with enough evidence.

A call comes to a number that visitors held one after another. Each of them is a candidate, and so
is an unknown caller, who saved the number long ago or misdialled. The evidence gives probabilities
that sum to one. These are the values of the context and of the result; `inference` computes the
result with the site's `model`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from router.domain.visitors.lease import Lease
from router.domain.visitors.site import TrackingNumber

# a noted number may be dialled days later; after a month a lease is no evidence
LOOK_BACK = timedelta(days=30)


class Verdict(StrEnum):
    """How a call was matched to a visitor."""

    EXACT = "exact"  # the visitor was on the page
    FROZEN = "frozen"  # the visitor had left, the number was still reserved for them
    CONTESTED = "contested"  # several visitors are about equally likely
    STALE = "stale"  # the lease was over, but its visitor is still the likeliest
    STATIC = "static"  # the number belongs to a channel, not to a visitor
    REPEAT = "repeat"  # a known caller, unrelated to the number's present holder
    UNKNOWN = "unknown"  # nothing is known; an answer like the others


class Evidence(StrEnum):
    """Evidence for or against a candidate."""

    ON_PAGE = "on_page"  # was on the page when the call came
    FROZEN = "frozen"  # had left, and the number was still reserved
    ENDED = "ended"  # the lease was over
    RETAKEN = "retaken"  # another visitor held the number by then
    TAPPED = "tapped"  # tapped the number just before
    CODE = "code"  # the caller gave the promo code of this visit
    FORM = "form"  # entered this phone number in a form
    CALLED_BEFORE = "called_before"  # this phone number was this visitor's before
    CALLED_OTHERS = "called_others"  # another visitor called from this phone number before
    CONTACTS = "contacts"  # viewed the contacts page
    SAME_REGION = "same_region"  # the phone number is from the visitor's region
    OTHER_REGION = "other_region"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A candidate: a visitor who may have called, with probability and evidence."""

    lease_id: str | None  # None: known only by a code, a form or an earlier call
    visitor_id: str
    visit_id: str
    probability: float
    evidence: tuple[Evidence, ...] = ()


Origin = tuple[str | None, str | None]  # source, channel
Share = tuple[str | None, str | None, float]  # … and its probability


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateFacts:
    """Facts about one candidate at the moment of a call."""

    lease: Lease | None  # None: known only by a code, a form or an earlier call
    visitor_id: str
    visit_id: str
    source: str | None = None
    channel: str | None = None
    tapped_at: datetime | None = None  # the last tap on the number that was called
    # viewed the contacts page; None: the site has none configured
    contacts: bool | None = None
    region: str | None = None  # by the address
    code: bool = False
    form: bool = False
    called: float = 0.0  # probability that they already called this number from another phone


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An earlier call of the same phone number, with its attribution."""

    at: datetime
    number: str | None  # the tracking number that was called
    candidates: tuple[Candidate, ...] = ()
    origins: tuple[Share, ...] = ()

    def unnamed_unknown(self) -> float:
        """Probability of an unknown caller, given that it was no candidate."""
        unnamed = 1.0 - sum(candidate.probability for candidate in self.candidates)
        nowhere = 1.0 - sum(share for *_, share in self.origins)
        if unnamed > 0:
            return min(1.0, max(0.0, nowhere) / unnamed)
        return 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallContext:
    """The context of a call to attribute, with nothing later than the call."""

    # None if it is not set up (any more); its leases outlive it
    number: TrackingNumber | None
    at: datetime
    caller: str | None = None
    caller_region: str | None = None
    candidates: tuple[CandidateFacts, ...] = ()  # the newest lease first
    rest: tuple[int, ...] = ()  # further ended leases of the number, by `model.DELAYS`
    earlier: tuple[Earlier, ...] = ()  # the newest first
    unattributed_calls: float | None = (
        None  # mean of `TrackingNumber.unattributed_calls` over the site's numbers
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """The verdict and the candidates, the likeliest first."""

    verdict: Verdict
    probability: float  # of the named visitor, or of an unknown caller
    named: Candidate | None = None
    candidates: tuple[Candidate, ...] = ()
    source: str | None = None  # sometimes known although the visitor is not
    channel: str | None = None
    unknown: float = 0.0  # probability of an unknown caller
    # the rest, up to 1, is unknown
    origins: Mapping[Origin, float] = field(default_factory=dict)
