"""Who reviewed a call."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A person has reviewed a call."""

    call_id: str
    person: str  # login, or the name of a token
    at: datetime
