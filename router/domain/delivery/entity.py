"""What a CRM keeps of a caller: leads, deals, contacts, companies; as we have seen them, and as we
keep them.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EntityKind(StrEnum):
    """What it is."""

    CONTACT = "contact"
    COMPANY = "company"
    LEAD = "lead"
    DEAL = "deal"


class Maker(StrEnum):
    """Who created it, or said that it is the call's."""

    US = "us"
    NOTE = "note"  # it was there already, and we added an event to it
    TELEPHONY = "telephony"
    PERSON = "person"
    API = "api"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """One entity of one account."""

    kind: EntityKind
    id: str  # the CRM's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An entity as the CRM showed it."""

    ref: Ref
    title: str = ""
    phones: tuple[str, ...] = ()  # as they are written there
    created_at: datetime | None = None
    open: bool = True
    ours: bool = False  # created by the user whose token we have
    exact: bool = False  # the CRM itself says that it belongs to this very call
    client_id: str | None = None  # what stands in the field


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """An entity that belongs to a call, kept for ever: revenue comes back by it."""

    id: str
    call_id: str
    connection_id: str | None  # None: named through the API
    kind: EntityKind
    external_id: str
    maker: Maker
    client_id: str | None = None  # what we wrote and read back
    at: datetime

    @property
    def ref(self) -> Ref:
        """Where it stands in its account."""
        return Ref(kind=self.kind, id=self.external_id)
