"""Whose call it was: every lease that could have led to it is weighed, and nobody is named for lack of another.

A call comes to a number that visitors held one after another. Each of them is a suspect, and so is nobody: somebody
who saved the number long ago, or misdialled. What is known of each (see `Evidence`) makes probabilities that sum
to one; a visitor is named only when sure enough.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from router.domain.lease import Lease
from router.domain.site import NumberKind, TrackingNumber

LOOK_BACK = timedelta(days=30)  # a number written down is dialled days later; after a month it says nothing


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What is known, at the moment of a call, of one visitor who may have made it."""

    lease: Lease | None  # None: known by the code, the form or an earlier call alone
    visitor_id: str
    visit_id: str
    tapped_at: datetime | None = None  # the last tap on the number that was called
    contacts: bool = False
    region: str | None = None  # by the address
    code: bool = False
    form: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An earlier call of the same phone number, and whose it was found to be."""

    at: datetime
    visitor_id: str | None
    number: str | None  # the tracking number that was called


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """All that is known of a call whose visitor is sought; nothing in it is younger than the call."""

    number: TrackingNumber | None  # None when it is not set up, or not any more; its leases outlive it
    at: datetime
    caller: str | None = None
    caller_region: str | None = None
    candidates: tuple[Candidate, ...] = ()  # the newest lease first
    earlier: tuple[Earlier, ...] = ()  # the newest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """The verdict, and who may have called, the likeliest first."""

    verdict: Verdict
    probability: float  # of the one named, or of nobody when none is
    named: Suspect | None = None
    suspects: tuple[Suspect, ...] = ()


def attribute(question: Question) -> Attribution:
    """Judge a call by the ledger alone."""
    if question.number is not None and question.number.kind is NumberKind.STATIC:
        return Attribution(verdict=Verdict.STATIC, probability=1.0)
    last = next((c for c in question.candidates if c.lease and question.at < c.lease.ends_at + LOOK_BACK), None)
    if last is None or last.lease is None:
        return Attribution(verdict=Verdict.UNKNOWN, probability=1.0)
    state, evidence = Verdict.STALE, Evidence.ENDED
    if question.at < last.lease.frozen_at:
        state, evidence = Verdict.EXACT, Evidence.ON_PAGE
    elif question.at < last.lease.ends_at:
        state, evidence = Verdict.FROZEN, Evidence.FROZEN
    suspect = Suspect(
        lease_id=last.lease.id,
        visitor_id=last.visitor_id,
        visit_id=last.visit_id,
        probability=1.0,
        evidence=(evidence,),
    )
    return Attribution(verdict=state, probability=1.0, named=suspect, suspects=(suspect,))
