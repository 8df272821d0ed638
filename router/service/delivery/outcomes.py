"""The port of senders: what they take, and what can come of a delivery."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from router.domain.delivery.connection import Connection
from router.domain.delivery.delivery import Delivery, Outcome, Webhook
from router.domain.delivery.entity import Found, Maker, Ref

Receiver = Webhook | Connection


class Refused(Exception):
    """The receiver will never take this, however often it is sent."""


class EntityGone(Refused):
    """The CRM does not have this entity any more: it was deleted, or merged into another."""

    def __init__(self, ref: Ref) -> None:
        super().__init__(f"{ref.kind} {ref.id} is gone from the CRM")
        self.ref = ref


class NotYet(Exception):
    """What the delivery waits for is not there yet; look again after the pause."""

    def __init__(self, reason: str, pause: timedelta) -> None:
        super().__init__(reason)
        self.pause = pause


class Undecided(Exception):
    """Only a person can say which of these entities is meant."""

    def __init__(self, reason: str, candidates: tuple[Found, ...]) -> None:
        super().__init__(reason)
        self.candidates = candidates


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A receipt: what the receiver said, and the entities that belong to the call from now on."""

    said: str
    entities: tuple[tuple[Ref, Maker], ...] = ()
    client_id: str | None = None  # that stands in them,
    without: frozenset[Ref] = frozenset()  # but for these
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)  # of several, by their keys
    records: Mapping[str, int] = field(default_factory=dict)  # the places of several in one request
    look_in: timedelta | None = None  # it was taken to be worked on: when to ask what came of it


class Courier(Protocol):
    """Takes deliveries of one receiver, often one alone; an outcome for each: the receipt, or what
    went wrong.

    Raises `ReceiverUnavailable` when trying again may help, `Refused` when it cannot, `NotYet` and
    `Undecided`.
    """

    def most(self, receiver: Receiver) -> int:
        """How many deliveries one request may carry."""
        ...

    async def take(self, deliveries: Sequence[Delivery], receiver: Receiver) -> Taken: ...
