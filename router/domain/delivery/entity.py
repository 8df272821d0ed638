"""CRM records of a caller (leads, deals, contacts, companies): as found in the CRM, and as stored
here.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EntityKind(StrEnum):
    """Kind of entity."""

    CONTACT = "contact"
    COMPANY = "company"
    LEAD = "lead"
    DEAL = "deal"


class CreatedBy(StrEnum):
    """Who created it, or assigned it to the call."""

    US = "us"
    NOTE = "note"  # it existed; Ringtrace added a note
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
    phones: tuple[str, ...] = ()  # as written in the CRM
    created_at: datetime | None = None
    open: bool = True
    ours: bool = False  # created by Ringtrace's own user
    exact: bool = False  # the CRM itself links it to this call
    client_id: str | None = None  # present value of the field


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """An entity of a call, kept for ever: revenue is matched by it."""

    id: str
    call_id: str
    connection_id: str | None  # None: reported through the API
    kind: EntityKind
    external_id: str
    created_by: CreatedBy
    client_id: str | None = None  # written and read back
    at: datetime

    @property
    def ref(self) -> Ref:
        """Its place in the account."""
        return Ref(kind=self.kind, id=self.external_id)
