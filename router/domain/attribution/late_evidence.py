"""Evidence that comes after a call: the worker looks again at the calls that it may belong to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class LateKind(StrEnum):
    """What came late."""

    IDENTITY = "identity"  # analytics named a visitor who may have called already
    FORM = "form"  # a visitor left a phone number that may have called already


@dataclass(frozen=True, slots=True, kw_only=True)
class LateEvidence:
    """One look that the worker owes; several messages of one subject are one look."""

    id: str
    kind: LateKind
    subject: str  # the visitor, or the phone number (E.164)
    site_id: str | None = None  # of the form
    at: datetime  # when the newest of it came
    due_at: datetime


def identity_of(visitor_id: str, now: datetime) -> LateEvidence:
    """Analytics named this visitor."""
    return LateEvidence(
        id=f"{LateKind.IDENTITY}:{visitor_id}",
        kind=LateKind.IDENTITY,
        subject=visitor_id,
        at=now,
        due_at=now,
    )


def form_with(phone: str, site_id: str, now: datetime) -> LateEvidence:
    """A visitor of the site left this phone number."""
    return LateEvidence(
        id=f"{LateKind.FORM}:{site_id}:{phone}",
        kind=LateKind.FORM,
        subject=phone,
        site_id=site_id,
        at=now,
        due_at=now,
    )
