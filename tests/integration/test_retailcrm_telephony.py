"""RetailCRM in mode `telephony`: finding what the company's telephony created, late, twice or
never.
"""

import pytest

from router.domain.delivery.connection import Connection, Mode, Overwrite
from router.domain.delivery.entity import CreatedBy, EntityKind, Ref
from router.receivers.http import HttpClient
from router.receivers.retailcrm.adapter import RetailCrm
from router.service.delivery.outcomes import NeedsReview, NotYet, ReceiverUnavailable, Refused
from tests.contracts.retailcrm import Account
from tests.contracts.serving import served
from tests.integration.retailcrm_world import (
    CLIENT_ID,
    PHONE,
    WRITTEN,
    Dying,
    World,
    call,
    telephony,
)
from tests.support.builders import NOON, Clock, later

pytest_plugins = ["tests.integration.retailcrm_world"]


@pytest.fixture
def world(retailcrm_world: World) -> World:
    return retailcrm_world


@pytest.mark.parametrize("written", WRITTEN)
async def test_the_order_that_the_telephony_made_gets_the_client_id(
    world: World, written: str
) -> None:
    world.clock.move(5)
    order = world.account.add("orders", phone=written, externalId="pbx-77")
    world.account.add("orders", phone="+79990000000")
    done = await world.tell(telephony(world), call())
    assert done.entities == ((Ref(kind=EntityKind.DEAL, id=str(order)), CreatedBy.TELEPHONY),)
    assert world.account.rows["orders"][order]["customFields"] == {"ga_client_id": CLIENT_ID}
    assert world.account.client_ids == [
        {"value": CLIENT_ID, "order": {"id": order}, "site": "shop"}
    ]
    assert world.counts() == {"orders": 2, "customers": 0, "customers-corporate": 0}


async def test_an_order_without_a_phone_is_known_by_its_customers(world: World) -> None:
    customer = world.account.add("customers", firstName="Anna", phones=[{"number": "89123456789"}])
    order = world.account.add("orders", customer={"id": customer})
    done = await world.tell(telephony(world), call())
    assert [ref.id for ref, _ in done.entities] == [str(order)]


async def test_a_customer_gets_the_client_id_where_no_order_comes(world: World) -> None:
    customer = world.account.add("customers", firstName="Anna", phones=[{"number": PHONE}])
    connection = telephony(world, targets=(EntityKind.LEAD, EntityKind.CONTACT))
    with pytest.raises(NotYet):
        await world.tell(connection, call(), after=30)
    done = await world.tell(connection, call(), after=90)
    assert done.entities == ((Ref(kind=EntityKind.CONTACT, id=str(customer)), CreatedBy.TELEPHONY),)
    assert world.account.client_ids == [
        {"value": CLIENT_ID, "customer": {"id": customer}, "site": "shop"}
    ]


async def test_where_leads_are_wanted_orders_are_those(world: World) -> None:
    order = world.account.add("orders", phone=PHONE)
    done = await world.tell(telephony(world, targets=(EntityKind.LEAD,)), call())
    assert [ref for ref, _ in done.entities] == [Ref(kind=EntityKind.LEAD, id=str(order))]


async def test_an_order_that_comes_late_is_waited_for(world: World) -> None:
    connection = telephony(world)
    for looks in range(3):
        with pytest.raises(NotYet):
            await world.tell(connection, call(), after=30, looks=looks)
    world.clock.now = later(600)
    world.account.add("orders", phone=PHONE)
    assert (await world.tell(connection, call(), after=600)).entities


async def test_two_orders_of_one_call_are_left_to_a_person(world: World) -> None:
    orders = {
        str(world.account.add("orders", phone=phone)) for phone in (PHONE, "8 (912) 345-67-89")
    }
    connection = telephony(world)
    with pytest.raises(NeedsReview) as needs_review:
        await world.tell(connection, call())
    assert {candidate.ref.id for candidate in needs_review.value.candidates} == orders
    assert all(row["customFields"] == {} for row in world.rows("orders"))
    chosen = needs_review.value.candidates[0].ref
    await world.tell(connection, call(), chosen=chosen)
    assert world.account.rows["orders"][int(chosen.id)]["customFields"] == {
        "ga_client_id": CLIENT_ID
    }


async def test_two_new_customers_with_one_phone_are_left_to_a_person(world: World) -> None:
    for written in (PHONE, "8 (912) 345-67-89"):
        world.account.add("customers", firstName="Anna", phones=[{"number": written}])
    with pytest.raises(NeedsReview) as needs_review:
        await world.tell(telephony(world), call(), after=120)
    assert len(needs_review.value.candidates) == 2


async def test_a_call_for_which_nothing_ever_comes_is_an_orphan(world: World) -> None:
    with pytest.raises(NeedsReview, match="no CRM record appeared"):
        await world.tell(telephony(world), call(), after=901)


async def test_orders_of_before_and_of_another_phone_or_an_anonymous_call_are_not_taken(
    world: World,
) -> None:
    world.clock.now = later(-120)
    world.account.add("orders", phone=PHONE)
    world.clock.now = later(10)
    world.account.add("orders", phone="+79120000000")
    for caller in (PHONE, None):
        with pytest.raises(NotYet):
            await world.tell(telephony(world), call(caller=caller))


async def test_an_old_order_that_is_edited_during_the_call_was_not_made_for_it(
    world: World,
) -> None:
    world.clock.now = later(-3600)
    order = world.account.add("orders", phone=PHONE)
    world.clock.now = later(10)
    await world.crm(world.connection()).write(
        Ref(kind=EntityKind.DEAL, id=str(order)), {"ga_client_id": "1.1"}
    )
    assert await world.crm(telephony(world)).appeared(call(), NOON, later(60)) == []


async def test_what_another_put_there_stays_unless_the_rule_says_otherwise(world: World) -> None:
    order = world.account.add("orders", phone=PHONE, customFields={"ga_client_id": "1.1"})
    done = await world.tell(telephony(world), call())
    assert "keeps 1.1" in str(done.said)
    await world.tell(telephony(world, overwrite=Overwrite.ALWAYS), call())
    assert world.account.rows["orders"][order]["customFields"] == {"ga_client_id": CLIENT_ID}


async def test_an_order_among_hundreds_of_changes_is_found(world: World) -> None:
    for number in range(230):
        world.account.add("orders", phone=f"+7999{number:07}")
    order = world.account.add("orders", phone=PHONE)
    done = await world.tell(telephony(world), call())
    assert [ref.id for ref, _ in done.entities] == [str(order)]


async def test_a_history_without_end_is_not_read_for_ever(world: World) -> None:
    world.account.history["orders"] = [
        {"id": number, "createdAt": "2026-11-22 15:00:10", "order": {"id": 1}}
        for number in range(1, 2002)
    ]
    with pytest.raises(ReceiverUnavailable, match="over 2000 changes"):
        await world.tell(telephony(world), call())


async def test_what_the_analytics_do_not_take_is_said_and_the_field_is_filled_all_the_same(
    world: World,
) -> None:
    order = world.account.add("orders", phone=PHONE)
    world.account.refuse_client_ids = True
    with pytest.raises(
        Refused, match=r"'ga_client_id' is filled, but .*ClientIds are loaded with errors"
    ):
        await world.tell(telephony(world), call())
    assert world.account.rows["orders"][order]["customFields"] == {"ga_client_id": CLIENT_ID}
    assert (await world.tell(telephony(world), call())).entities


async def test_the_analytics_can_be_left_out(world: World) -> None:
    world.account.add("orders", phone=PHONE)
    await world.tell(world.connection(mode=Mode.TELEPHONY, options={"analytics": "off"}), call())
    assert world.account.client_ids == []


async def test_the_accounts_time_zone_is_used() -> None:
    clock = Clock(later(5))
    account = Account(clock, "America/Mexico_City")
    async with served(account.app) as address:
        world = World(account, clock, Dying(address, {}))
        order = account.add("orders", phone=PHONE)
        there = world.connection(mode=Mode.TELEPHONY, options={"timezone": "America/Mexico_City"})
        with pytest.raises(NotYet):
            await world.tell(telephony(world), call())
        assert [ref.id for ref, _ in (await world.tell(there, call())).entities] == [str(order)]
        await world.http.close()


def test_an_unknown_time_zone_is_said_before_anything_is_asked() -> None:
    connection = Connection(
        id="x", kind="retailcrm", address="", options={"timezone": "Mars/One"}, created_at=NOON
    )
    with pytest.raises(ReceiverUnavailable, match="'Mars/One' is not a time zone"):
        RetailCrm(connection, {"key": "x"}, HttpClient("http://127.0.0.1:1", {}))


async def test_a_hundred_new_wholesale_orders_hide_no_order(world: World) -> None:
    line = {"offer": {"name": "A window with two panes " * 40}, "quantity": 1}
    for _ in range(100):
        world.account.add("orders", phone="+79990000000", items=[line] * 50)
    order = world.account.add("orders", phone=PHONE, items=[line] * 50)
    done = await world.tell(telephony(world), call())
    assert [ref.id for ref, _ in done.entities] == [str(order)]
