"""The port that every CRM adapter implements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, Self

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.check_codes import CheckCode
from router.domain.delivery.connection import ReceiverHealth
from router.domain.delivery.delivery import Delivery, DeliveryState
from router.domain.delivery.entity import Entity, EntityKind, Found, Ref
from router.domain.delivery.outcome import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An entity to be created. `values` go into the CRM's own fields by the connection's
    mapping.
    """

    kind: EntityKind
    call: CallEvent
    title: str
    text: str
    person: str = ""  # name of a contact that the CRM also requires
    links: Mapping[EntityKind, Ref] = field(default_factory=dict)  # what it is linked to
    responsible: str | None = None  # the CRM's user
    # False: the CRM refuses the connection's pipeline, stage or order method, and chooses its own
    placed: bool = True
    values: Mapping[str, str] = field(default_factory=dict)  # the CRM's field → text


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check of `ringtrace crm connect`; `fix` says how to fix a failure."""

    what: Outcome
    well: bool
    fix: Outcome | None = None
    # not essential: the connection is saved, calls are sent without it
    optional: bool = False

    @classmethod
    def of(cls, code: CheckCode, well: bool, fix: Outcome | None = None, **about: Any) -> Self:
        """A check; `about`: what its code names."""
        return cls(what=Outcome.of(code, **about), well=well, fix=fix)


class Crm(Protocol):
    """One account. Every method raises `ReceiverUnavailable` when trying again may help, `Refused`
    when it cannot.
    """

    async def made_for(self, call_id: str) -> Sequence[Ref]:
        """Entities that an earlier attempt created for this call, by our external ID."""
        ...

    async def contacts(self, phone: str) -> Sequence[Found]:
        """Contacts and companies with this phone (E.164), each compared digit by digit."""
        ...

    async def deals(self, contacts: Sequence[Ref], phone: str) -> Sequence[Found]:
        """Deals of these contacts and companies, and leads with this phone if the CRM has leads."""
        ...

    async def create(self, draft: Draft) -> Ref:
        """Create an entity that carries the call's id."""
        ...

    async def note(self, ref: Ref, text: str, call_id: str) -> None:
        """Add a note to the entity, unless it already has this call's."""
        ...

    async def appeared(self, call: CallEvent, since: datetime, until: datetime) -> Sequence[Found]:
        """Entities that others created for this call or its phone in the window."""
        ...

    async def read(self, ref: Ref, fields: Sequence[str]) -> Mapping[str, str]:
        """Present values of these fields, without empty ones. Raises `EntityGone` for a deleted
        entity.
        """
        ...

    async def write(self, ref: Ref, values: Mapping[str, str]) -> None:
        """Set these fields; an empty text clears a field."""
        ...

    def client_id_field(self, kind: EntityKind) -> str:
        """The field for the Google client ID."""
        ...

    async def check(self) -> Sequence[Check]:
        """Check token, rights and fields; changes nothing."""
        ...

    async def prepare(self) -> Sequence[str]:
        """Find or create the fields; returns those created."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Number of pending deliveries of a receiver, and when the first is due."""

    receiver_id: str
    deliveries: int
    due_at: datetime


class Deliveries(Protocol):
    """The outbox."""

    async def add(self, deliveries: Sequence[Delivery]) -> None: ...
    async def due(
        self, now: datetime, limit: int, receiver_id: str | None = None
    ) -> list[Delivery]: ...
    async def receivers_due(self) -> dict[str, datetime]: ...
    async def replace_pending(self, delivery: Delivery) -> bool: ...
    async def hurry(self, receiver_id: str, now: datetime, due_at: datetime) -> int: ...
    async def settle(self, taken: Delivery, outcome: Delivery) -> bool: ...
    async def give_up(self, receiver_id: str, reason: Outcome) -> int: ...
    async def find(
        self,
        *,
        state: DeliveryState | None = None,
        receiver_id: str | None = None,
        call_id: str | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 50,
    ) -> list[Delivery]: ...
    async def count(self, state: DeliveryState, most: int) -> int: ...
    async def waiting(self) -> list[Waiting]: ...
    async def next_due(self) -> datetime | None: ...


class Receivers(Protocol):
    """Whether each receiver accepts deliveries now."""

    async def lock(self, receiver_id: str, now: datetime) -> ReceiverHealth: ...
    async def save(self, health: ReceiverHealth) -> None: ...


class Entities(Protocol):
    """CRM records of calls."""

    async def recent(self, connection_id: str, caller: str, since: datetime) -> list[Entity]: ...
