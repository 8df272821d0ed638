"""The account of our tests, driven by RetailCRM's own client: our reading of the documents, checked
by others' code.
"""

import asyncio
from typing import Any

import pytest
import retailcrm

from tests.contracts.retailcrm import Account
from tests.integration.retailcrm_world import CLIENT_ID, PHONE, World, call, telephony

pytest_plugins = ["tests.integration.retailcrm_world"]


@pytest.fixture
def world(retailcrm_world: World) -> World:
    return retailcrm_world


class Official:
    """The vendor's own client, which is synchronous."""

    def __init__(self, address: str) -> None:
        self._client = retailcrm.v5(address, Account.key)

    async def __call__(self, method: str, *arguments: Any, **named: Any) -> Any:
        answer = await asyncio.to_thread(getattr(self._client, method), *arguments, **named)
        assert answer.is_successful(), answer.get_response()
        return answer.get_response()


async def test_the_official_client_and_we_understand_the_same_account(world: World) -> None:
    theirs = Official(world.http.address)
    customer = {
        "externalId": "site-1",
        "firstName": "Anna",
        "phones": [{"number": "8 (912) 345-67-89"}],
    }
    customer_id = (await theirs("customer_create", customer, "shop"))["id"]
    order = {
        "externalId": "site-2",
        "phone": PHONE,
        "orderMethod": "phone",
        "customer": {"id": customer_id},
    }
    order_id = (await theirs("order_create", order, "shop"))["id"]

    await world.tell(telephony(world), call())

    read = (await theirs("order", "site-2", site="shop"))["order"]
    assert read["customFields"] == {"ga_client_id": CLIENT_ID}
    assert read["customer"]["phones"] == [{"number": "8 (912) 345-67-89"}]
    listed = await theirs("orders", {"ids": [order_id], "sites": ["shop"]}, 50)
    assert [order["id"] for order in listed["orders"]] == [order_id]
    assert listed["pagination"]["totalCount"] == 1
    found = await theirs("customers", {"externalIds": ["site-1"]}, 100)
    assert [customer["customFields"] for customer in found["customers"]] == [[]]
    assert (await theirs("telephony_manager", "79123456789"))["customer"]["id"] == customer_id
    history = await theirs("orders_history", {"startDate": "2026-11-22 14:59:00"}, 100)
    assert [change.get("created") for change in history["history"]] == [True, None]


async def test_the_official_client_writes_what_we_read(world: World) -> None:
    theirs = Official(world.http.address)
    world.account.fields = {"order": set(), "customer": set()}
    for entity in ("order", "customer"):
        field = {"code": "ga_client_id", "name": "Google", "type": "string", "entity": entity}
        await theirs("custom_field_create", field)
    crm = world.crm(world.connection())
    assert all(check.well for check in await crm.check())

    [(contact, _), (deal, _)] = (await world.tell(world.connection(), call())).entities
    note = {"customer": {"id": int(contact.id)}, "text": "[ringtrace-call-9]"}
    await theirs("customer_note_create", note, "shop")
    await crm.note(contact, "Called", "call-9")
    assert len((await theirs("customer_notes", {"customerIds": [contact.id]}))["notes"]) == 1
    edited = {"id": int(deal.id), "customFields": {"ga_client_id": "2.2"}}
    await theirs("order_edit", edited, "id", "shop")
    assert await crm.read(deal, ["ga_client_id"]) == {"ga_client_id": "2.2"}
    bound = [{"value": "2.2", "site": "shop", "order": {"id": int(deal.id)}}]
    await theirs("web_analytics_client_ids_upload", bound)
    moment = {
        "date": "2026-11-22 15:00:00",
        "type": "in",
        "phone": "79123456789",
        "result": "answered",
    }
    one_call = moment | {
        "externalId": "ringtrace-call-1",
        "duration": 60,
        "site": "shop",
        "clientId": CLIENT_ID,
    }
    assert (await theirs("telephony_calls_upload", [one_call]))["processedCallsCount"] == 1
    assert (await theirs("telephony_calls_upload", [one_call]))["duplicateCalls"] == [
        "ringtrace-call-1"
    ]


async def test_the_account_refuses_what_the_real_one_would_not_understand(world: World) -> None:
    base = world.http.address
    theirs = retailcrm.v5(base, Account.key)
    wrong: list[tuple[str, tuple[Any, ...]]] = [
        ("order_create", ({"externalID": "a"}, "shop")),
        ("order_create", ({"phone": 79123456789}, "shop")),
        ("order_create", ({"createdAt": "22.11.2026"}, "shop")),
        ("order_create", ({"phone": PHONE},)),
        ("order_create", ({"phone": PHONE}, "shoe-shop")),
        ("orders", ({"phone": PHONE},)),
        ("orders", ({"ids": [1]}, 30)),
    ]
    for method, arguments in wrong:
        answer = await asyncio.to_thread(getattr(theirs, method), *arguments)
        assert not answer.is_successful(), (method, arguments)
    assert len(world.account.violations) == len(wrong)
    world.account.violations.clear()
    assert world.counts()["orders"] == 0
    taken = [
        await asyncio.to_thread(theirs.order_create, {"externalId": "a"}, "shop") for _ in range(2)
    ]
    assert [answer.is_successful() for answer in taken] == [True, False]
    assert "already exists" in taken[1].get_error_msg()
    stranger = await asyncio.to_thread(retailcrm.v5(base, "old").orders, {"ids": [1]})
    assert (stranger.get_status_code(), stranger.get_error_msg()) == (403, 'Wrong "apiKey" value.')
