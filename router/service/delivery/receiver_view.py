"""One receiver: its health by the outcomes of its last deliveries, and the texts of a call."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.connection import Connection, ReceiverHealth
from router.domain.delivery.delivery import DeliveryState, Webhook
from router.domain.delivery.templates import Part
from router.errors import NotFound
from router.service.delivery.causes import Cause, find_causes
from router.service.delivery.outcomes import Receiver
from router.service.delivery.texts import texts_of_call
from router.service.ports import Store

LATEST = 200  # deliveries whose outcomes are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverView:
    """A webhook or connection with what came of its last deliveries."""

    receiver: Receiver
    health: ReceiverHealth | None  # None: nothing was sent yet
    states: Mapping[DeliveryState, int]
    causes: tuple[Cause, ...]
    call: CallEvent | None = None  # the last one that would be sent, and its texts
    texts: Mapping[Part, str] = field(default_factory=dict)


async def view_receiver(store: Store, name: str, pages: str) -> ReceiverView:
    """One receiver. Raises `NotFound`."""
    async with store.read() as session:
        connection = await session.peek(Connection, name)
        receiver: Receiver
        if connection is None:
            receiver = await session.get(Webhook, name)
        else:
            receiver = connection

        health = await session.peek(ReceiverHealth, name)
        latest = await session.deliveries.find(receiver_id=name, limit=LATEST)
    call, texts = await _texts(store, receiver, pages)
    return ReceiverView(
        receiver=receiver,
        health=health,
        states=Counter(delivery.state for delivery in latest),
        causes=await find_causes(store, name),
        call=call,
        texts=texts,
    )


async def _texts(
    store: Store, receiver: Receiver, pages: str
) -> tuple[CallEvent | None, dict[Part, str]]:
    if isinstance(receiver, Webhook) or store.receiver_kinds.of(receiver).analytics:
        return None, {}
    try:
        return await texts_of_call(store, receiver, None, pages)
    except NotFound:
        return None, {}
