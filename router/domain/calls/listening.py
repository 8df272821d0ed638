"""Listening in on a call that goes on."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """A person listened in on a call: written before the first sound."""

    id: str
    call_id: str
    by: str  # login
    at: datetime
    ended_at: datetime | None = None

    @property
    def seconds(self) -> float | None:
        """How long; None while it goes on, or where its end was not seen."""
        if not self.ended_at:
            return None
        return (self.ended_at - self.at).total_seconds()
