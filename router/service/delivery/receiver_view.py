"""One receiver: its health by the outcomes of its last deliveries, and the texts of a call."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.connection import Connection, ReceiverHealth
from router.domain.delivery.delivery import Delivery, DeliveryState, Webhook
from router.domain.delivery.outcome import Outcome
from router.domain.delivery.templates import Part
from router.errors import NotFound
from router.service.delivery.outcomes import Receiver
from router.service.delivery.texts import texts_of_call
from router.service.ports import Store

LATEST = 200  # deliveries whose outcomes are counted
_TROUBLED = frozenset({DeliveryState.FAILED, DeliveryState.NEEDS_REVIEW, DeliveryState.PENDING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why deliveries were not made, once for all of them."""

    outcome: Outcome  # of the newest
    deliveries: int
    newest: datetime


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
        receiver: Receiver = connection if connection else await session.get(Webhook, name)
        health = await session.peek(ReceiverHealth, name)
        latest = await session.deliveries.find(receiver_id=name, limit=LATEST)
    call, texts = await _texts(store, receiver, pages)
    return ReceiverView(
        receiver=receiver,
        health=health,
        states=Counter(one.state for one in latest),
        causes=causes_of(latest),
        call=call,
        texts=texts,
    )


def causes_of(newest_first: Iterable[Delivery]) -> tuple[Cause, ...]:
    """The causes of deliveries that were not made, the most frequent first."""
    causes: dict[str, Cause] = {}
    for delivery in newest_first:
        outcome = delivery.last_error
        if outcome is None or delivery.state not in _TROUBLED:
            continue
        key = _kind_of(outcome)
        known = causes.get(key)
        causes[key] = Cause(
            outcome=known.outcome if known else outcome,
            deliveries=known.deliveries + 1 if known else 1,
            newest=known.newest if known else delivery.created_at,
        )
    return tuple(sorted(causes.values(), key=lambda cause: -cause.deliveries))


def _kind_of(outcome: Outcome) -> str:
    """What outcomes of one cause have in common: all but the entity of each call."""
    params = {
        name: value
        for name, value in outcome.params.items()
        if not (isinstance(value, Mapping) and "id" in value) and not isinstance(value, list)
    }
    return json.dumps([outcome.code, params], sort_keys=True)


async def _texts(
    store: Store, receiver: Receiver, pages: str
) -> tuple[CallEvent | None, dict[Part, str]]:
    if isinstance(receiver, Webhook) or store.receiver_kinds.of(receiver).analytics:
        return None, {}
    try:
        return await texts_of_call(store, receiver, None, pages)
    except NotFound:
        return None, {}
