"""Lists deliveries that need review or failed, and the status of receivers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from router.domain.calls.call import Call
from router.domain.delivery.connection import Connection, ReceiverHealth
from router.domain.delivery.delivery import Delivery, DeliveryState, Webhook
from router.service.calls.browse import read_cursor, written_cursor
from router.service.delivery.outcomes import Receiver
from router.service.delivery.ports import Waiting
from router.service.ids import by_id
from router.service.ports import Session, Store

MOST_COUNTED = 1000  # a page says "1,000+" of more


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPage:
    """A page of deliveries, newest first, with their calls, and the next cursor."""

    deliveries: tuple[Delivery, ...]
    calls: Mapping[str, Call]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverStatus:
    """A receiver with its pending deliveries and health."""

    receiver_id: str
    receiver: Receiver | None  # None: removed
    waiting: Waiting | None
    health: ReceiverHealth | None


async def find_deliveries(
    store: Store,
    *,
    state: DeliveryState | None = None,
    receiver_id: str | None = None,
    call_id: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> DeliveryPage:
    """A page of matching deliveries. Raises `InvalidInput` for a bad cursor."""
    before = None
    if cursor:
        before = read_cursor(cursor)

    async with store.read() as session:
        found = await session.deliveries.find(
            state=state, receiver_id=receiver_id, call_id=call_id, before=before, limit=limit + 1
        )
        shown = found[:limit]
        calls = await session.get_many(
            Call, {delivery.call_id for delivery in shown if delivery.call_id}
        )
    next_cursor = None
    if len(found) > limit:
        next_cursor = written_cursor(shown[-1].created_at, shown[-1].id)

    return DeliveryPage(
        deliveries=tuple(shown),
        calls=calls,
        next_cursor=next_cursor,
    )


async def receiver_statuses(store: Store) -> Sequence[ReceiverStatus]:
    """Every active receiver, and removed ones with pending deliveries."""
    async with store.read() as session:
        waiting = {pending.receiver_id: pending for pending in await session.deliveries.waiting()}
        accounts = {health.receiver_id: health for health in await session.find(ReceiverHealth)}
        receivers = await receivers_of(session)
    active = {key for key, receiver in receivers.items() if receiver.active}
    statuses = []
    for key in sorted(active | waiting.keys()):
        statuses.append(
            ReceiverStatus(
                receiver_id=key,
                receiver=receivers.get(key),
                waiting=waiting.get(key),
                health=accounts.get(key),
            )
        )
    return statuses


async def receivers_of(session: Session) -> dict[str, Receiver]:
    """Every webhook and connection by its id."""
    webhooks: dict[str, Receiver] = by_id(await session.find(Webhook))
    return webhooks | by_id(await session.find(Connection))


async def count_unsettled(store: Store) -> int:
    """How many deliveries need review or failed, counted up to just above `MOST_COUNTED`."""
    async with store.read() as session:
        needs_review = await session.deliveries.count(DeliveryState.NEEDS_REVIEW, MOST_COUNTED + 1)
        failed = await session.deliveries.count(DeliveryState.FAILED, MOST_COUNTED + 1)
    return min(needs_review + failed, MOST_COUNTED + 1)
