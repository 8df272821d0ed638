"""Sales sent through the API: who receives them, once, and which are refused."""

from datetime import timedelta
from typing import Any

import pytest

from router.domain.access import Scope
from router.domain.calls.call import State
from router.store.engine import SqlStore
from tests.integration.sales_world import (
    CALLED,
    NOW,
    SALE,
    a_call,
    account,
    deliveries_of_calls,
    furnish,
    program,
)
from tests.integration.store_calls import save


async def test_a_sale_goes_to_every_analytics_account_of_the_site_that_knows_the_visitor(
    store: SqlStore,
) -> None:
    await furnish(
        store,
        account("ga4"),
        account("google-ads"),
        account("metrica", site_id="shop"),
        account("metrica", id="other", site_id="garage"),
        account("ga4", id="off", active=False),
        account("tryton"),
    )
    at = (NOW - timedelta(minutes=1)).isoformat()
    answer = await (await program(store)).post(
        SALE, json={"value": 4990.5, "currency": "RUB", "at": at}
    )
    assert (answer.status_code, answer.json()["sent_to"]) == (
        201,
        ["ga4", "google-ads", "metrica"],
    ), answer.text
    deliveries = await deliveries_of_calls(store)
    assert sorted(deliveries) == ["ga4 sale.made", "google-ads sale.made", "metrica sale.made"]
    delivery = deliveries["google-ads sale.made"]
    assert delivery.key.startswith("sale.made:rt1-1.0:20")
    assert (delivery.payload["sale"]["value"], delivery.payload["sale"]["currency"]) == (
        4990.5,
        "RUB",
    )
    assert (delivery.payload["call"]["id"], delivery.payload["attribution"]["visitor"]) == (
        "rt1-1.0",
        "anna",
    )
    assert (delivery.stream, delivery.deadline_at) == ("rt1-1.0", CALLED + timedelta(days=90))


async def test_a_sale_of_one_moment_counts_once_and_another_value_for_it_is_a_conflict(
    store: SqlStore,
) -> None:
    await furnish(store, account("ga4"))
    client, sold = await program(store), {"value": 10, "currency": "EUR", "at": NOW.isoformat()}
    assert [(await client.post(SALE, json=sold)).status_code for _ in range(2)] == [201, 201]
    assert len(await deliveries_of_calls(store)) == 1
    assert (await client.post(SALE, json={**sold, "value": 11})).status_code == 409
    earlier = (NOW - timedelta(seconds=9)).isoformat()
    assert (await client.post(SALE, json={**sold, "at": earlier})).status_code == 201
    async with store.read() as session:
        assert len(await session.deliveries.find()) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"value": -1},
        {"value": "10"},
        {"value": True},
        {"value": 1e13},
        {"currency": "rub"},
        {"currency": "RUBLES"},
        {"currency": None},
        {"at": "2026-01-20T12:00:00"},
        {"at": (CALLED - timedelta(seconds=1)).isoformat()},
        {"at": (NOW + timedelta(hours=1)).isoformat()},
        {"tip": 1},
    ],
)
async def test_a_sale_that_makes_no_sense_is_refused(
    store: SqlStore, wrong: dict[str, Any]
) -> None:
    await furnish(store, account("ga4"))
    answer = await (await program(store)).post(SALE, json={"value": 10, "currency": "EUR", **wrong})
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_input"), answer.text
    assert await deliveries_of_calls(store) == {}


async def test_a_sale_needs_a_call_that_is_over_and_the_right_to_write(store: SqlStore) -> None:
    await furnish(store, account("ga4"))
    await save(store, a_call("rt1-2.0", state=State.TALKING, ended_at=None))
    client, sold = await program(store), {"value": 10, "currency": "EUR"}
    answers = [
        await client.post(f"/api/v1/calls/{name}/sale", json=sold) for name in ("rt1-2.0", "nobody")
    ]
    answers.append(await (await program(store, Scope.CALLS_READ)).post(SALE, json=sold))
    assert [answer.status_code for answer in answers] == [409, 404, 403]


async def test_a_sale_without_a_receiver_is_kept_and_shown_with_its_call(store: SqlStore) -> None:
    await furnish(store)
    async with await program(store) as client:
        at = (CALLED + timedelta(minutes=2)).isoformat()
        sale = {"value": 4990.0, "currency": "RUB", "at": at}
        for _ in range(2):
            answer = await client.post(SALE, json=sale)
            assert (answer.status_code, answer.json()["sent_to"]) == (201, [])
        assert (await client.post(SALE, json={**sale, "value": 1.0})).status_code == 409
    async with await program(store, Scope.CALLS_READ) as client:
        kept = (await client.get("/api/v1/calls/rt1-1.0")).json()["sales"]
    assert [(sale["value"], sale["currency"]) for sale in kept] == [(4990.0, "RUB")]
