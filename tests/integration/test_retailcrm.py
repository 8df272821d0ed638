"""RetailCRM in mode `own`: what each scenario creates, and what is found of who called before."""

from typing import Any

import pytest

from router.domain.delivery.connection import SCENARIO_KINDS, Missed, Repeat, Scenario
from router.domain.delivery.entity import CreatedBy, EntityKind, Ref
from router.service.delivery.outcomes import Refused
from tests.integration.retailcrm_world import CLIENT_ID, PHONE, WRITTEN, World, call

pytest_plugins = ["tests.integration.retailcrm_world"]


@pytest.fixture
def world(retailcrm_world: World) -> World:
    return retailcrm_world


def path(kind: EntityKind) -> str:
    return {"contact": "customers", "company": "customers-corporate"}.get(kind, "orders")


@pytest.mark.parametrize("scenario", Scenario)
async def test_a_new_caller_becomes_what_the_scenario_says_with_the_client_id_on_each(
    world: World, scenario: Scenario
) -> None:
    done = await world.tell(world.connection(scenario=scenario), call())
    assert [ref.kind for ref, _ in done.entities] == list(SCENARIO_KINDS[scenario])
    for ref, created_by in done.entities:
        row = world.account.rows[path(ref.kind)][int(ref.id)]
        assert created_by is CreatedBy.US
        assert row["site"] == "shop"
        assert row["customFields"] == {"ga_client_id": CLIENT_ID}
        assert row["externalId"].startswith("ringtrace-call-1")
        assert row["source"] == {
            "source": "google",
            "medium": "cpc",
            "campaign": "spring",
            "keyword": "windows",
        }
    assert sum(world.counts().values()) == len(SCENARIO_KINDS[scenario])


async def test_an_order_belongs_to_its_customer_and_says_all_of_the_call(world: World) -> None:
    world.clock.move(100)
    rules: dict[str, Any] = {
        "responsible": {"office": "27"},
        "fields": {"campaign": "ga_client_id"},
    }
    world.account.fields["order"].add("talk")
    rules["fields"] = {"talk_seconds": "talk"}
    world.account.fields["customer"].add("talk")
    await world.tell(world.connection(scenario=Scenario.CONTACT_DEAL, **rules), call())
    [customer], [order] = world.rows("customers"), world.rows("orders")
    assert customer["phones"] == [{"number": PHONE}]
    assert order["customer"] == {"id": customer["id"]}
    assert order["customFields"] == {"ga_client_id": CLIENT_ID, "talk": "53"}
    assert (order["clientId"], order["phone"], order["orderMethod"]) == (CLIENT_ID, PHONE, "phone")
    assert (order["managerId"], order["call"]) == (27, False)
    assert "https://calls.example/calls/call-1" in order["managerComment"]


async def test_a_company_has_its_contact_and_the_order_is_of_both(world: World) -> None:
    await world.tell(world.connection(scenario=Scenario.COMPANY_CONTACT_DEAL), call())
    [company], [customer], [order] = (
        world.rows(kind) for kind in ("customers-corporate", "customers", "orders")
    )
    assert company["_contacts"] == [customer["id"]]
    assert order["customer"] == {"id": company["id"], "type": "customer_corporate"}
    assert order["contact"] == {"id": customer["id"]}


async def test_an_anonymous_caller_becomes_a_customer_without_a_phone_each_time(
    world: World,
) -> None:
    for name in ("call-1", "call-2"):
        await world.tell(world.connection(), call(name, caller=None))
    assert world.counts() == {"orders": 2, "customers": 2, "customers-corporate": 0}
    assert all(row["phones"] == [] for row in world.rows("customers"))
    assert all("phone" not in row for row in world.rows("orders"))


async def test_a_missed_call_asks_for_a_call_back(world: World) -> None:
    await world.tell(world.connection(scenario=Scenario.LEAD), call(answered=False))
    [order] = world.rows("orders")
    assert order["call"] is True


@pytest.mark.parametrize("written", WRITTEN)
async def test_a_known_customer_is_found_however_their_phone_is_written(
    world: World, written: str
) -> None:
    customer = world.account.add("customers", firstName="Anna", phones=[{"number": written}])
    await world.tell(world.connection(), call())
    assert world.counts()["customers"] == 1
    assert world.rows("orders")[0]["customer"] == {"id": customer}


async def test_a_longer_number_that_contains_this_one_is_another_person(world: World) -> None:
    world.account.add("customers", firstName="Boris", phones=[{"number": "91234567890"}])
    await world.tell(world.connection(), call())
    assert world.counts()["customers"] == 2


async def test_of_two_customers_with_one_phone_the_older_gets_the_order(world: World) -> None:
    older = world.account.add(
        "customers", firstName="Anna", phones=[{"number": "8 (912) 345-67-89"}]
    )
    world.clock.move(3600)
    world.account.add("customers", firstName="Anna", phones=[{"number": PHONE}])
    await world.tell(world.connection(), call())
    assert [order["customer"] for order in world.rows("orders")] == [{"id": older}]


async def test_customers_are_found_without_telephony_too(world: World) -> None:
    world.account.telephony = False
    customer = world.account.add("customers", firstName="Anna", phones=[{"number": "89123456789"}])
    await world.tell(world.connection(), call())
    assert world.rows("orders")[0]["customer"] == {"id": customer}


async def test_a_customer_of_another_shop_is_not_taken(world: World) -> None:
    world.account.add("customers", site="outlet", firstName="Anna", phones=[{"number": PHONE}])
    await world.tell(world.connection(), call())
    [order] = world.rows("orders")
    assert world.account.rows["customers"][order["customer"]["id"]]["site"] == "shop"


async def test_a_repeat_call_is_once_in_the_open_orders_comment_below_what_the_manager_wrote(
    world: World,
) -> None:
    customer = world.account.add("customers", firstName="Anna", phones=[{"number": PHONE}])
    order = world.account.add(
        "orders", customer={"id": customer}, managerComment="Wants two windows"
    )
    for _ in range(2):
        done = await world.tell(world.connection(repeat=Repeat.NOTE), call("call-2"))
    touched = (
        Ref(kind=EntityKind.DEAL, id=str(order)),
        Ref(kind=EntityKind.CONTACT, id=str(customer)),
    )
    assert done.entities == tuple((ref, CreatedBy.NOTE) for ref in touched)
    comment = world.account.rows["orders"][order]["managerComment"]
    assert comment.startswith("Wants two windows\n\nCall +79123456789\n")
    assert comment.count("[ringtrace-call-2]") == 1
    assert world.counts()["orders"] == 1


@pytest.mark.parametrize("status", ["complete", "no-call"])
async def test_a_repeat_call_after_the_order_is_closed_makes_a_new_one(
    world: World, status: str
) -> None:
    customer = world.account.add("customers", firstName="Anna", phones=[{"number": PHONE}])
    world.account.add("orders", customer={"id": customer}, status=status)
    await world.tell(world.connection(repeat=Repeat.NOTE), call("call-2"))
    assert world.counts()["orders"] == 2


async def test_a_missed_call_of_a_known_customer_is_one_note(world: World) -> None:
    customer = world.account.add("customers", firstName="Anna", phones=[{"number": PHONE}])
    for _ in range(2):
        await world.tell(world.connection(missed=Missed.NOTE), call(answered=False))
    [note] = world.account.notes["customers"]
    assert note["customer"] == {"id": customer}
    assert note["text"].startswith("Missed call +79123456789\n")


async def test_a_note_on_a_company_is_made_once_too(world: World) -> None:
    company = Ref(
        kind=EntityKind.COMPANY,
        id=str(world.account.add("customers-corporate", nickName="Windows Ltd")),
    )
    for name in ("call-1", "call-1", "call-2"):
        await world.crm(world.connection()).note(company, "Called", name)
    assert len(world.account.notes["customers-corporate"]) == 2


async def test_calls_go_to_the_telephony_module_if_that_is_wanted(world: World) -> None:
    connection = world.connection(options={"calls": "on"}, responsible={"office": "27"})
    await world.tell(connection, call())
    assert world.account.calls == {
        "ringtrace-call-1": {
            "date": "2026-11-22 15:00:00",
            "type": "in",
            "phone": "79123456789",
            "result": "answered",
            "duration": 53,
            "durationWaiting": 7,
            "externalId": "ringtrace-call-1",
            "userId": 27,
            "clientId": CLIENT_ID,
            "externalPhone": "74950000001",
            "site": "shop",
        }
    }
    await world.tell(world.connection(options={"calls": "on"}), call("call-2", caller=None))
    assert len(world.account.calls) == 1


async def test_without_a_telephony_module_its_option_is_refused_in_words(world: World) -> None:
    world.account.telephony = False
    with pytest.raises(Refused, match=r"Telephony not enabled.*option 'calls'"):
        await world.tell(world.connection(options={"calls": "on"}), call())


def firm(world: World, phone: str = PHONE) -> tuple[int, int]:
    """A corporate customer and its contact, who has the phone."""
    person = world.account.add(
        "customers", firstName="Anna", isContact=True, phones=[{"number": phone}]
    )
    company = world.account.add("customers-corporate", nickName="Windows Ltd", _contacts=[person])
    return company, person


@pytest.mark.parametrize("written", WRITTEN)
async def test_a_company_with_an_open_order_gets_an_event_and_no_second_order(
    world: World, written: str
) -> None:
    company, person = firm(world, written)
    of_both = {"customer": {"id": company, "type": "customer_corporate"}, "contact": {"id": person}}
    order = world.account.add("orders", **of_both)
    done = await world.tell(world.connection(), call())
    assert (Ref(kind=EntityKind.DEAL, id=str(order)), CreatedBy.NOTE) in done.entities
    assert world.counts() == {"orders": 1, "customers": 1, "customers-corporate": 1}


@pytest.mark.parametrize("scenario", [Scenario.CONTACT_DEAL, Scenario.COMPANY_CONTACT_DEAL])
async def test_the_order_of_a_known_companys_contact_is_the_companys(
    world: World, scenario: Scenario
) -> None:
    company, person = firm(world)
    await world.tell(world.connection(scenario=scenario), call())
    (order,) = world.rows("orders")
    assert order["customer"] == {"id": company, "type": "customer_corporate"}
    assert order["contact"] == {"id": person}
    assert world.counts() == {"orders": 1, "customers": 1, "customers-corporate": 1}


def wholesale(world: World, count: int, **fields: Any) -> list[int]:
    """Orders of fifty lines each: a hundred of them are more than we read of one answer."""
    line = {"offer": {"name": "A window with two panes " * 40}, "quantity": 1}
    return [world.account.add("orders", items=[line] * 50, **fields) for _ in range(count)]


async def test_a_hundred_wholesale_orders_are_read_page_by_page(world: World) -> None:
    person = world.account.add("customers", firstName="Anna", phones=[{"number": PHONE}])
    wholesale(world, 100, customer={"id": person}, status="complete")
    open_one = world.account.add("orders", customer={"id": person})
    done = await world.tell(world.connection(), call())
    assert (Ref(kind=EntityKind.DEAL, id=str(open_one)), CreatedBy.NOTE) in done.entities
    assert len(world.rows("orders")) == 101
