"""Deliveries to other systems, and the records that calls became there."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from router.domain.delivery.delivery import DeliveryKind, DeliveryState
from router.domain.delivery.entity import CreatedBy, EntityKind
from router.domain.delivery.entity import Ref as RefRecord
from router.web.api.models.base import Answer, Body, Key
from router.web.api.models.outcomes import Outcome

ID = r"^\w[\w.:-]{0,79}$"  # used in addresses, so only harmless characters


class Ref(Answer):
    """One record of one CRM account."""

    kind: EntityKind
    """What it is."""

    id: str
    """Its id in the CRM."""


class Found(Answer):
    """A record as the CRM showed it."""

    ref: Ref
    """Which record it is."""

    title: str
    """Its title or name in the CRM."""

    phones: tuple[str, ...]
    """Its phone numbers, as written there."""

    created_at: datetime | None
    """When it was created (UTC), if the CRM says so."""

    open: bool
    """Whether it is open: not won, lost or closed."""

    ours: bool
    """Whether it was created by Ringtrace's own user."""

    exact: bool
    """Whether the CRM itself links it to this call."""

    client_id: str | None
    """Its present client ID."""


class Delivery(Answer):
    """One message to one receiver, delivered exactly once per key."""

    id: str
    """The delivery's id."""

    key: str
    """Idempotency key: the same on every attempt, e.g. `call.ended:rt1-1768912345.42`."""

    receiver_id: str
    """The webhook or connection that it goes to."""

    call_id: str | None
    """Its call; null for mail and receivers."""

    kind: DeliveryKind
    """The event."""

    payload: dict[str, Any]
    """Payload; webhooks get it unchanged, adapters convert it."""

    state: DeliveryState
    """`pending`: will be sent · `done`: accepted · `failed` · `needs_review` ·
    `dismissed`."""

    attempts: int
    """Number of attempts."""

    due_at: datetime
    """Next attempt (UTC)."""

    deadline_at: datetime
    """End of retries (UTC)."""

    created_at: datetime
    """When it was created, in the transaction of the event (UTC)."""

    done_at: datetime | None
    """When the receiver accepted it (UTC)."""

    last_error: Outcome | None
    """Error of the last attempt."""

    receipt: Outcome | None
    """The receiver's answer; while pending: accepted, being processed."""

    stream: str | None
    """Deliveries of one stream are sent in order."""

    event_at: datetime | None
    """Time of the event (UTC)."""

    revision: int
    """Revision of the payload: a later fact replaces one that was not sent yet."""

    candidates: tuple[Found, ...]
    """If `needs_review`: the records that it may belong to."""

    chosen: Ref | None
    """The record that a person chose."""


class DeliveryList(Answer):
    """A page of deliveries, newest first."""

    deliveries: tuple[Delivery, ...]
    """The deliveries."""

    next_cursor: str | None
    """Cursor of the next page; null at the end."""


class Entity(Answer):
    """A record of another system that belongs to a call."""

    id: str
    """Its id here."""

    call_id: str
    """The call it belongs to."""

    connection_id: str | None
    """The connected account it is in; null: reported through the API, of no connected account."""

    kind: EntityKind
    """What it is."""

    external_id: str
    """Its id in the other system."""

    created_by: CreatedBy
    """Who created it, or assigned it to the call."""

    client_id: str | None
    """The client ID that was written there and read back."""

    at: datetime
    """When it was stored (UTC)."""


class NamedRef(Body):
    """A record by the name that it has in its own system."""

    kind: EntityKind
    """What it is."""

    id: Annotated[str, Field(pattern=ID)]
    """Its id there: letters, digits and `_ . : -`, at most 80."""

    def ref(self) -> RefRecord:
        """The same as a value."""
        return RefRecord(kind=self.kind, id=self.id)


class NamedEntity(NamedRef):
    """The record that a call became."""

    connection: Key | None = None
    """The connected account that it is in, if it is in one."""


class Cause(Answer):
    """Why deliveries to a receiver were not made, once for all with the same cause."""

    key: str
    """Its key in addresses."""

    outcome: Outcome
    """The outcome of the newest of them."""

    deliveries: int
    """How many there are; 500 of each state are counted."""

    newest: datetime
    """When the newest was created (UTC)."""


class DeliveryCount(Answer):
    """How much was done."""

    deliveries: int
    """The number of deliveries; those that were being sent are not among them."""
