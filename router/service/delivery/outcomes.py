"""The port of senders, and the outcomes of a delivery."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from router.domain.delivery.connection import Connection
from router.domain.delivery.delivery import Delivery, Outcome, Webhook
from router.domain.delivery.entity import Found, Maker, Ref

Receiver = Webhook | Connection


class Refused(Exception):
    """The receiver refused this for good."""


class EntityGone(Refused):
    """The entity no longer exists in the CRM: it was deleted or merged."""

    def __init__(self, ref: Ref) -> None:
        super().__init__(f"{ref.kind} {ref.id} is gone from the CRM")
        self.ref = ref


class NotYet(Exception):
    """The awaited entity does not exist yet; retry after the pause."""

    def __init__(self, reason: str, pause: timedelta) -> None:
        super().__init__(reason)
        self.pause = pause


class Undecided(Exception):
    """A person has to choose between these entities."""

    def __init__(self, reason: str, candidates: tuple[Found, ...]) -> None:
        super().__init__(reason)
        self.candidates = candidates


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A receipt: the receiver's answer, and the entities of the call."""

    said: str
    entities: tuple[tuple[Ref, Maker], ...] = ()
    client_id: str | None = None  # that is in them,
    without: frozenset[Ref] = frozenset()  # but for these
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)  # of several, by their keys
    records: Mapping[str, int] = field(default_factory=dict)  # the places of several in one request
    look_in: timedelta | None = None  # it is being processed: when to request the result


class Courier(Protocol):
    """Sends deliveries of one receiver, often just one; an outcome for each: the receipt, or the
    error.

    Raises `ReceiverUnavailable` when trying again may help, `Refused` when it cannot, `NotYet` and
    `Undecided`.
    """

    def most(self, receiver: Receiver) -> int:
        """How many deliveries one request may carry."""
        ...

    async def take(self, deliveries: Sequence[Delivery], receiver: Receiver) -> Taken: ...
