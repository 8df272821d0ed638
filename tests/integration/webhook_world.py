"""A webhook and what is to be delivered to it."""

from typing import Any

from router.domain.calls.call import Call, State
from router.domain.delivery.delivery import (
    Delivery,
    DeliveryKind,
    new_delivery,
)
from router.service.delivery.dispatch import list_deliveries
from router.store.engine import SqlStore
from tests.support.builders import NOON, webhook

KEY = "installation's key"


def a_delivery(
    id: str = "d1",  # noqa: A002
    call_id: str = "rt1-1.0",
    receiver: str = "crm",
    **body: Any,
) -> Delivery:
    payload = {"call": {"id": call_id, "caller_name": "Анна 😀"}, **body}
    return new_delivery(
        webhook(receiver), DeliveryKind.CALL_ENDED, call_id, payload, id=id, now=NOON
    )


async def furnish(store: SqlStore, url: str, *deliveries: Delivery, **fields: Any) -> None:
    async with store.write() as session:
        await session.add(webhook(url=url, **fields))
        calls = {delivery.call_id for delivery in deliveries or [a_delivery()]}
        await session.calls.save(
            [
                Call(id=id_, did="1", trunk="t", arrived_at=NOON, state=State.ENDED)
                for id_ in sorted(calls)
            ]
        )
        await session.deliveries.add(list(deliveries) or [a_delivery()])


async def only(store: SqlStore) -> Delivery:
    (delivery,) = await list_deliveries(store)
    return delivery
