"""Why deliveries of a receiver are not made, once for all with the same cause; and what a person
does about all of them.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from router.domain.delivery.delivery import Delivery, DeliveryState, dismiss, resend
from router.domain.delivery.outcome import Outcome
from router.errors import NotFound
from router.service.delivery.manage import again, is_under_way, locked
from router.service.ports import Session, Store

MOST_COUNTED = 500  # of each state
_AT_ONCE = 100  # deliveries that are read at once
_TROUBLED = (DeliveryState.FAILED, DeliveryState.NEEDS_REVIEW, DeliveryState.PENDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why deliveries were not made, once for all of them."""

    key: str
    outcome: Outcome  # of the newest
    deliveries: int
    newest: datetime


async def find_causes(store: Store, receiver_id: str) -> tuple[Cause, ...]:
    """The causes of deliveries to this receiver."""
    async with store.read() as session:
        found = []
        for state in _TROUBLED:
            found.append(
                await session.deliveries.find(
                    state=state, receiver_id=receiver_id, limit=MOST_COUNTED
                )
            )
    deliveries = [delivery for some in found for delivery in some]
    return causes_of(sorted(deliveries, key=lambda delivery: delivery.created_at, reverse=True))


def causes_of(newest_first: Iterable[Delivery]) -> tuple[Cause, ...]:
    """The causes of deliveries that were not made, the most frequent first."""
    causes: dict[str, Cause] = {}
    for delivery in newest_first:
        outcome, key = delivery.last_error, cause_of(delivery)
        if outcome is None or key is None:
            continue
        if known := causes.get(key):
            causes[key] = replace(known, deliveries=known.deliveries + 1)
        else:
            causes[key] = Cause(key=key, outcome=outcome, deliveries=1, newest=delivery.created_at)
    return tuple(sorted(causes.values(), key=lambda cause: -cause.deliveries))


def cause_of(delivery: Delivery) -> str | None:
    """The key of what deliveries of one cause have in common: all but the entity of each call."""
    outcome = delivery.last_error
    if outcome is None or delivery.state not in _TROUBLED:
        return None
    params = {}
    for name, value in outcome.params.items():
        if not (isinstance(value, Mapping) and "id" in value) and not isinstance(value, list):
            params[name] = value

    said = json.dumps([outcome.code, params], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


async def resend_cause(store: Store, receiver_id: str, cause: str, now: datetime) -> int:
    """Resend all deliveries of a cause; returns their number."""

    async def act(session: Session, delivery: Delivery) -> None:
        await again(session, delivery, now, lambda changed: resend(changed, now))

    return await _of_all(store, receiver_id, cause, now, act)


async def dismiss_cause(store: Store, receiver_id: str, cause: str, now: datetime) -> int:
    """Dismiss all deliveries of a cause; returns their number."""

    async def act(session: Session, delivery: Delivery) -> None:
        await session.change(dismiss(delivery))

    return await _of_all(store, receiver_id, cause, now, act)


async def _of_all(
    store: Store,
    receiver_id: str,
    cause: str,
    now: datetime,
    act: Callable[[Session, Delivery], Awaitable[None]],
) -> int:
    """Act on each that still has the cause and is not being sent."""
    count = 0
    for delivery_id in await _ids_of(store, receiver_id, cause):
        with suppress(NotFound):  # removed meanwhile
            async with store.write() as session:
                delivery = await locked(session, delivery_id, now)
                if cause_of(delivery) != cause or is_under_way(delivery, now):
                    continue
                await act(session, delivery)
            count += 1
    return count


async def _ids_of(store: Store, receiver_id: str, cause: str) -> list[str]:
    ids: list[str] = []
    for state in _TROUBLED:
        before = None
        while True:
            async with store.read() as session:
                found = await session.deliveries.find(
                    state=state, receiver_id=receiver_id, before=before, limit=_AT_ONCE
                )
            ids += [delivery.id for delivery in found if cause_of(delivery) == cause]
            if len(found) < _AT_ONCE:
                break
            before = (found[-1].created_at, found[-1].id)
    return ids
