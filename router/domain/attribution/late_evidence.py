"""Evidence that arrives after a call; the worker attributes the affected calls again."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class LateKind(StrEnum):
    """Kind of late evidence."""

    IDENTITY = "identity"  # a visitor got an analytics identifier after a possible call
    FORM = "form"  # a visitor entered a phone number after a possible call


@dataclass(frozen=True, slots=True, kw_only=True)
class LateEvidence:
    """A job for the worker; several messages about one subject are one job."""

    id: str
    kind: LateKind
    subject: str  # the visitor, or the phone number (E.164)
    site_id: str | None = None  # of the form
    at: datetime  # when the newest of it came
    due_at: datetime


def identity_of(visitor_id: str, now: datetime) -> LateEvidence:
    """A visitor got an analytics identifier."""
    return LateEvidence(
        id=f"{LateKind.IDENTITY}:{visitor_id}",
        kind=LateKind.IDENTITY,
        subject=visitor_id,
        at=now,
        due_at=now,
    )


def form_with(phone: str, site_id: str, now: datetime) -> LateEvidence:
    """A visitor of the site entered this phone number."""
    return LateEvidence(
        id=f"{LateKind.FORM}:{site_id}:{phone}",
        kind=LateKind.FORM,
        subject=phone,
        site_id=site_id,
        at=now,
        due_at=now,
    )
