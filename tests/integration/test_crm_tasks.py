"""A missed call becomes a task in the CRM, once: for the contact's own responsible, else the
deal's, else the connection's.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from router.domain.delivery.connection import Rules
from router.domain.delivery.entity import EntityKind, Ref
from router.service.delivery.crm_ports import HasTasks
from router.service.delivery.crm_update import annotate
from router.service.delivery.dry_run import DryRunCrm
from router.service.delivery.outcomes import EntityGone
from tests.contracts.bitrix24_portal import CONTACT, DEAL
from tests.integration import bitrix24_world as bitrix24
from tests.integration import hubspot_world as hubspot
from tests.integration import retailcrm_world as retailcrm
from tests.integration.amocrm_world import World as Amo
from tests.integration.amocrm_world import amocrm_world, contact
from tests.integration.tryton_world import World as Tryton
from tests.support.builders import later
from tests.support.crm_calls import ANNA, call_event

pytest_plugins = [
    "tests.integration.bitrix24_world",
    "tests.integration.retailcrm_world",
    "tests.integration.tryton_world",
]
MISSED = call_event(answered=False, talk=0)


@pytest.fixture
async def amo() -> AsyncIterator[Amo]:
    async with amocrm_world() as world:
        await world.prepare()
        yield world


@pytest.fixture
async def hub() -> AsyncIterator[hubspot.World]:
    async with hubspot.account() as world:
        yield world


async def test_amocrm_gives_it_to_the_contact_s_own_responsible_once(amo: Amo) -> None:
    key = contact(amo, ANNA)
    amo.account.entities["contacts"][key]["responsible_user_id"] = 77
    connection = amo.connection(rules=Rules(task=True, task_user="7"))
    done = await amo.annotate(connection, MISSED)
    await amo.annotate(connection, MISSED)  # an attempt whose answer was lost
    (task,) = amo.account.tasks
    deal = next(ref for ref, _ in done.entities if ref.kind == "deal")
    assert (task["entity_type"], task["entity_id"]) == ("leads", int(deal.id))
    assert (task["responsible_user_id"], task["task_type_id"]) == (77, 1)
    assert task["complete_till"] == int(later(60 + 3600).timestamp())
    assert task["text"].startswith(f"Call back {ANNA}\nhttp://pages/calls/")
    assert "a task on deal" in str(done.said)


async def test_a_responsible_who_has_left_gives_way_to_the_connection_s(amo: Amo) -> None:
    key = contact(amo, ANNA)
    amo.account.entities["contacts"][key]["responsible_user_id"] = 13
    done = await amo.annotate(amo.connection(rules=Rules(task=True, task_user="77")), MISSED)
    (task,) = amo.account.tasks
    assert task["responsible_user_id"] == 77
    assert "for the user 77" in str(done.said)
    amo.account.complaints.clear()


@pytest.mark.parametrize(
    ("rules", "call"),
    [
        (Rules(), MISSED),
        (Rules(task=True), call_event()),
    ],
)
async def test_an_answered_call_and_a_connection_without_the_rule_make_none(
    amo: Amo, rules: Rules, call: Any
) -> None:
    await amo.annotate(amo.connection(rules=rules), call)
    assert amo.account.tasks == []


async def test_a_call_lost_in_transfer_is_missed_too(amo: Amo) -> None:
    await amo.annotate(amo.connection(rules=Rules(task=True)), replace(call_event(), lost=True))
    assert len(amo.account.tasks) == 1


async def test_bitrix24_gives_it_to_the_deal_s_responsible_where_there_is_no_contact(
    bitrix24_world: bitrix24.World,
) -> None:
    portal = bitrix24_world.portal
    person = bitrix24_world.person()
    portal.items[CONTACT][person]["assignedById"] = 12
    connection = replace(bitrix24.OWN, rules=Rules(task=True))
    await bitrix24_world.tell(connection, MISSED)
    await bitrix24_world.tell(connection, MISSED)
    (todo,) = portal.todos
    (deal,) = bitrix24_world.all(DEAL)
    assert (todo["ownerTypeId"], todo["ownerId"], todo["responsibleId"]) == (2, deal["id"], 12)
    assert todo["title"] == f"Call back {ANNA}"


async def test_bitrix24_reads_no_codes_of_a_visitor_in_a_task(
    bitrix24_world: bitrix24.World,
) -> None:
    call = replace(MISSED, facts={**MISSED.facts, "source": "[url=http://x]y[/url]"})
    templates = {"task": "{source}"}
    rules = Rules(task=True, templates=templates)  # type: ignore[arg-type]
    await bitrix24_world.tell(replace(bitrix24.OWN, rules=rules), call)
    (todo,) = bitrix24_world.portal.todos
    assert "[" not in todo["title"] + todo["description"]


async def test_hubspot_gives_it_to_the_owner(hub: hubspot.World) -> None:
    anna = hub.put("contacts", {"phone": hubspot.CALLER, "hubspot_owner_id": "42"})
    hub.hub.account.pass_time(100)
    call = hubspot.call_event(answered=False, talk_seconds=0.0)
    rules = Rules(task=True, task_user="43")
    await hub.tell(call, rules)
    await hub.tell(call, rules)
    (task,) = hub.all("tasks")
    assert task.properties["hubspot_owner_id"] == "42"
    assert task.properties["hs_task_subject"] == f"Call back {hubspot.CALLER}"
    assert (task.properties["hs_task_type"], task.properties["hs_task_status"]) == (
        "CALL",
        "NOT_STARTED",
    )
    assert anna.id in {contact.id for contact in hub.all("contacts")}


async def test_retailcrm_needs_a_user_and_takes_the_manager_of_the_order(
    retailcrm_world: retailcrm.World,
) -> None:
    account = retailcrm_world.account
    missed = retailcrm.call(answered=False)
    done = await retailcrm_world.tell(retailcrm_world.connection(task=True), missed)
    assert "no task: a task needs a user" in str(done.said)
    assert account.tasks == []

    account.empty()
    order = account.add("orders", phone=retailcrm.PHONE, managerId=27)
    connection = retailcrm_world.connection(task=True, task_user="28")
    for _ in range(2):
        await retailcrm_world.tell(connection, missed)
    (task,) = account.tasks
    assert (task["performerId"], task["order"]) == (27, {"id": order})
    assert task["datetime"] == "2026-11-22 16:01"


async def test_tryton_has_none_and_says_so(tryton_world: Tryton) -> None:
    connection = tryton_world.connection(rules=Rules(task=True))
    crm = tryton_world.crm(connection)
    assert not isinstance(crm, HasTasks)
    call = replace(tryton_world.call(), answered=False)
    done = await annotate(crm, connection, call, looks=0, now=call.ended_at)
    assert "no task: this CRM has no tasks" in str(done.said)


async def test_a_dry_run_shows_the_task_and_adds_none(amo: Amo) -> None:
    contact(amo, ANNA)
    connection = amo.connection(rules=Rules(task=True))
    crm = DryRunCrm(amo.crm(connection))
    await annotate(crm, connection, MISSED, looks=0, now=later(100))
    (step,) = [step for step in crm.steps if step.verb == "task"]
    assert step.values["responsible"] == "7"
    assert amo.account.tasks == []


async def test_what_is_gone_has_no_responsible(amo: Amo) -> None:
    crm = amo.crm(amo.connection())
    assert isinstance(crm, HasTasks)
    assert crm.tasks is not None
    with pytest.raises(EntityGone):
        await crm.tasks.responsible(Ref(kind=EntityKind.CONTACT, id="999"))
