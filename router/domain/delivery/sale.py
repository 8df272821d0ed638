"""Sales from calls."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """A sale from a call; one call has at most one sale of the same moment."""

    id: str  # of the call and the moment
    call_id: str
    value: float
    currency: str  # ISO 4217
    at: datetime
    created_at: datetime


def sale_id(call_id: str, at: datetime) -> str:
    """The key of a call's sale of this moment."""
    return f"{call_id}~{at.isoformat(timespec='milliseconds')}"
