"""The port of senders, and the outcomes of a delivery."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from router.domain.delivery.codes import Code
from router.domain.delivery.connection import Connection
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.delivery import Delivery, Result, Webhook
from router.domain.delivery.entity import CreatedBy, Found, Ref
from router.domain.delivery.outcome import Outcome
from router.errors import Unavailable

Receiver = Webhook | Connection


class ReceiverUnavailable(Unavailable):
    """The receiver did not take the delivery; it will be tried again, after the pause if it asked
    for one.
    """

    def __init__(
        self,
        said: Outcome | Code,
        *also: Outcome | Code,
        pause: timedelta = timedelta(),
        **params: Any,
    ) -> None:
        self.outcome, self.pause = _outcome(said, also, params), pause
        super().__init__(str(self.outcome))


class _Ended(Exception):
    """An attempt ended otherwise than with a receipt."""

    def __init__(self, said: Outcome | Code, *also: Outcome | Code, **params: Any) -> None:
        self.outcome = _outcome(said, also, params)
        super().__init__(str(self.outcome))


class Refused(_Ended):
    """The receiver refused this for good."""


class EntityGone(Refused):
    """The entity no longer exists in the CRM: it was deleted or merged."""

    def __init__(self, ref: Ref) -> None:
        super().__init__(CrmCode.ENTITY_GONE, entity=ref)
        self.ref = ref


class NotYet(_Ended):
    """The awaited entity does not exist yet; retry after the pause."""

    def __init__(self, said: Outcome | Code, pause: timedelta) -> None:
        super().__init__(said)
        self.pause = pause


class NeedsReview(_Ended):
    """A person has to choose between these entities."""

    def __init__(self, said: Outcome | Code, candidates: tuple[Found, ...]) -> None:
        super().__init__(said)
        self.candidates = candidates


def _outcome(
    said: Outcome | Code, also: tuple[Outcome | Code, ...], params: dict[str, Any]
) -> Outcome:
    if isinstance(said, Outcome):
        return said
    if isinstance(said, Code):
        return Outcome.of(said, *also, **params)
    return Outcome.text(said)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """A receipt: the receiver's answer, and the entities of the call."""

    said: Outcome
    entities: tuple[tuple[Ref, CreatedBy], ...] = ()
    client_id: str | None = None  # that is in them,
    without: frozenset[Ref] = frozenset()  # but for these
    fault: Outcome | None = None  # done, but a person has to change something in the receiver
    results: Mapping[str, Result] = field(default_factory=dict)  # of several, by their keys
    records: Mapping[str, int] = field(default_factory=dict)  # the places of several in one request
    look_in: timedelta | None = None  # it is being processed: when to request the result


class Sender(Protocol):
    """Sends deliveries of one receiver, often just one; an outcome for each: the receipt, or the
    error.

    Raises `ReceiverUnavailable` when trying again may help, `Refused` when it cannot, `NotYet` and
    `NeedsReview`.
    """

    def most(self, receiver: Receiver) -> int:
        """How many deliveries one request may carry."""
        ...

    async def send(self, deliveries: Sequence[Delivery], receiver: Receiver) -> SendResult: ...
