"""Callbacks from a CRM: what waits is looked at sooner, nothing else happens, and no
other system can send one.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from router.domain.delivery.connection import Mode
from router.domain.delivery.delivery import DeliveryState
from router.errors import NotFound
from router.service.delivery.callbacks import accept_callback, callback_key
from router.service.delivery.dispatch import list_deliveries
from router.store.engine import SqlStore
from tests.integration.store_calls import call, save
from tests.integration.test_delivery_order import delivery
from tests.support.builders import NOON, later
from tests.support.crm_calls import connection
from tests.support.web_world import a_world

SECRET = "session key"


async def waiting(
    store: SqlStore, due: float, *, attempts: int = 1, claimed: bool = False, **fields: Any
) -> None:
    """A connection in mode `telephony` with one delivery that is due after so many seconds."""
    async with store.write() as session:
        await session.add(connection(**{"mode": Mode.TELEPHONY, **fields}))
    await save(store, call("c1"))
    async with store.write() as session:
        await session.deliveries.add(
            [
                replace(
                    delivery("c1"),
                    due_at=later(due),
                    claimed_until=later(due) if claimed else None,
                    attempts=attempts,
                )
            ]
        )


async def hint(store: SqlStore, name: str = "tryton") -> int:
    return await accept_callback(store, SECRET, name, callback_key(SECRET, name), NOON)


async def due(store: SqlStore) -> float:
    (delivery,) = await list_deliveries(store)
    assert delivery.state is DeliveryState.PENDING
    return (delivery.due_at - NOON).total_seconds()


async def test_what_waits_is_looked_at_soon(store: SqlStore) -> None:
    await waiting(store, 40)
    assert await hint(store) == 1
    assert await due(store) == 2


async def test_a_second_callback_hurries_no_delivery(store: SqlStore) -> None:
    await waiting(store, 40)
    await hint(store)
    assert await hint(store) == 0
    assert await due(store) == 2


async def test_what_is_being_looked_at_stays_claimed(store: SqlStore) -> None:
    await waiting(store, 40, claimed=True)
    assert await hint(store) == 0
    assert await due(store) == 40


@pytest.mark.parametrize(
    "fields", [{"mode": Mode.OWN}, {"active": False}], ids=["own", "switched off"]
)
async def test_other_connections_take_no_hints(fields: dict[str, Any], store: SqlStore) -> None:
    await waiting(store, 40, **fields)
    assert await hint(store) == 0
    assert await hint(store, "nobody") == 0


async def test_what_has_never_been_looked_at_waits_its_time(store: SqlStore) -> None:
    await waiting(store, 40, attempts=0)
    assert await hint(store) == 0


@pytest.mark.parametrize("key", ["", "0" * 32, callback_key(SECRET, "other"), "ключ"])
async def test_a_wrong_key_is_nothing_at_all(key: str, store: SqlStore) -> None:
    await waiting(store, 40)
    with pytest.raises(NotFound):
        await accept_callback(store, SECRET, "tryton", key, NOON)
    assert await due(store) == 40


async def test_a_crm_posts_whatever_it_likes_to_its_address(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        key = callback_key("k" * 43, "tryton")
        async with world.browser() as crm:
            assert (
                await crm.post(f"/api/v1/callbacks/tryton/{key}", content=b"leads[add][0][id]=7")
            ).status_code == 204
            assert (await crm.post(f"/api/v1/callbacks/tryton/{key[:-1]}x")).status_code == 404
            assert (await crm.get(f"/api/v1/callbacks/tryton/{key}")).status_code == 405
