"""Whose call it was: every lease that could have led to it is weighed, and nobody is named for lack
of another.

A call comes to a number that visitors held one after another. Each of them is a suspect, and so is
nobody: somebody who saved the number long ago, or misdialled. What is known of each (see
`Evidence`) makes probabilities that sum to one; a visitor is named only when sure enough. These are
the words of the question and of the answer; `judging` finds the answer, by what the `model` of the
site has learned.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from router.domain.visitors.lease import Lease
from router.domain.visitors.site import TrackingNumber

# a number written down is dialled days later; after a month it says nothing
LOOK_BACK = timedelta(days=30)


class Verdict(StrEnum):
    """How a call was matched to a visitor."""

    EXACT = "exact"  # the visitor was on the page
    FROZEN = "frozen"  # the visitor had left, the number was still theirs alone
    CONTESTED = "contested"  # several visitors are about as likely
    STALE = "stale"  # the lease was over, but its visitor is the likeliest still
    STATIC = "static"  # the number stands for a channel, not for a visitor
    REPEAT = "repeat"  # a known caller, whom the number's present holder has nothing to do with
    UNKNOWN = "unknown"  # nothing is known; an answer like the others


class Evidence(StrEnum):
    """What speaks for or against a suspect."""

    ON_PAGE = "on_page"  # was on the page when the call came
    FROZEN = "frozen"  # had left, and the number was still theirs
    ENDED = "ended"  # the lease was over
    RETAKEN = "retaken"  # somebody else held the number by then
    TAPPED = "tapped"  # tapped the number just before
    CODE = "code"  # the caller said the promo code of this visit
    FORM = "form"  # left this very phone number on the page
    CALLED_BEFORE = "called_before"  # this phone number was this visitor's before
    CALLED_OTHERS = "called_others"  # this phone number was somebody else's before
    CONTACTS = "contacts"  # looked at the page with the contacts
    SAME_REGION = "same_region"  # the phone number is from where the visitor is
    OTHER_REGION = "other_region"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A visitor who may have called: how probable that is, and why."""

    lease_id: str | None  # None: known by the code, the form or an earlier call alone
    visitor_id: str
    visit_id: str
    probability: float
    evidence: tuple[Evidence, ...] = ()


Origin = tuple[str | None, str | None]  # source, channel
Share = tuple[str | None, str | None, float]  # and how probably a call came from there


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What is known, at the moment of a call, of one visitor who may have made it."""

    lease: Lease | None  # None: known by the code, the form or an earlier call alone
    visitor_id: str
    visit_id: str
    source: str | None = None
    channel: str | None = None
    tapped_at: datetime | None = None  # the last tap on the number that was called
    # looked at the page with the contacts; None: the site has not said which it is
    contacts: bool | None = None
    region: str | None = None  # by the address
    code: bool = False
    form: bool = False
    called: float = 0.0  # how probably they have called this number already, from another phone


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An earlier call of the same phone number, and whose it was found to be."""

    at: datetime
    number: str | None  # the tracking number that was called
    suspects: tuple[Suspect, ...] = ()
    origins: tuple[Share, ...] = ()

    def unnamed_nobody(self) -> float:
        """How probably it was nobody we know, when it was none of its suspects."""
        unnamed = 1.0 - sum(one.probability for one in self.suspects)
        nowhere = 1.0 - sum(share for *_, share in self.origins)
        return min(1.0, max(0.0, nowhere) / unnamed) if unnamed > 0 else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """All that is known of a call whose visitor is sought; nothing in it is younger than the
    call.
    """

    # None when it is not set up, or not any more; its leases outlive it
    number: TrackingNumber | None
    at: datetime
    caller: str | None = None
    caller_region: str | None = None
    candidates: tuple[Candidate, ...] = ()  # the newest lease first
    rest: tuple[int, ...] = ()  # how many more leases of the number have ended, by `model.DELAYS`
    earlier: tuple[Earlier, ...] = ()  # the newest first
    strays: float | None = None  # `TrackingNumber.strays` in the mean of the site's numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """The verdict, and who may have called, the likeliest first."""

    verdict: Verdict
    probability: float  # of the one named, or of nobody when none is
    named: Suspect | None = None
    suspects: tuple[Suspect, ...] = ()
    source: str | None = None  # known at times when the visitor is not
    channel: str | None = None
    nobody: float = 0.0  # that it was somebody of whom nothing is known
    # what is missing to 1 came from nowhere known
    origins: Mapping[Origin, float] = field(default_factory=dict)
