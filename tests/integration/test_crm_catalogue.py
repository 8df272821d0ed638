"""Every CRM says which fields, users, pipelines and order methods it has: what it would not take is
named before a call is sent, and a call is fitted to it.
"""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from router.domain.delivery.connection import Connection, Rules, Scenario
from router.domain.delivery.entity import EntityKind
from router.service.delivery.catalogue import faults
from router.service.delivery.crm_ports import HasCatalogue
from tests.contracts.bitrix24_portal import DEAL
from tests.integration import bitrix24_world as bitrix24
from tests.integration import hubspot_world as hubspot
from tests.integration import retailcrm_world as retailcrm
from tests.integration.amocrm_world import World as Amo
from tests.integration.amocrm_world import amocrm_world
from tests.integration.tryton_world import World as Tryton
from tests.support.crm_calls import call_event
from tests.support.tryton_template import FIELD

pytest_plugins = [
    "tests.integration.bitrix24_world",
    "tests.integration.retailcrm_world",
    "tests.integration.tryton_world",
]
LONG = "x" * 300


@pytest.fixture
async def amo() -> AsyncIterator[Amo]:
    async with amocrm_world() as world:
        await world.prepare()
        yield world


@pytest.fixture
async def hub() -> AsyncIterator[hubspot.World]:
    async with hubspot.account() as world:
        yield world


async def ill(crm: object, connection: Connection) -> dict[str, str]:
    """What is wrong for a call from google, by what it is about."""
    assert isinstance(crm, HasCatalogue)
    call = call_event()
    call = replace(call, facts={**call.facts, "campaign": LONG})
    found = faults(await crm.catalogue(whole=True), connection, [call])
    return {str(check.what): str(check.fix) for check in found}


async def test_amocrm(amo: Amo) -> None:
    account = amo.account
    enums = [{"id": 1, "value": "Google"}, {"id": 2, "value": "yandex"}]
    account.add_field("leads", type="select", name="Источник", enums=enums)
    account.add_field("leads", type="text", name="Campaign")
    account.add_field("leads", type="text", name="City", is_required=True)
    place = [{"pipeline_id": 31, "status_id": 3101}]
    account.add_field("leads", type="text", name="Budget", required_statuses=place)
    account.users[17] = False
    rules = Rules(
        scenario=Scenario.DEAL,
        fields={"source": "Источник", "medium": "Источник", "campaign": "Campaign"},
        responsible={"office": "17"},
    )
    connection = amo.connection(rules=rules, options={"pipeline": "31", "status": "3101"})
    wrong = await ill(amo.crm(connection), connection)
    assert "'cpc' is not among its options" in wrong.pop(
        "the field 'Источник' for medium in each deal"
    )
    assert "accepts 256" in wrong.pop("the field 'Campaign' for campaign in each deal")
    assert [what.split("'")[1] for what in wrong if "required" in what] == ["City", "Budget"]
    assert "has left" in wrong["the user 17, responsible for office"]
    assert len(wrong) == 3

    account.add_field("leads", type="select", name="Канал", enums=enums)
    fields = {"source": "Источник", "medium": "Канал", "campaign": "Campaign"}
    connection = replace(connection, rules=replace(rules, fields=fields))
    call = call_event()
    call = replace(call, facts={**call.facts, "campaign": LONG})
    done = await amo.annotate(connection, call)
    ((ref, _),) = done.entities
    assert account.value("leads", ref.id, "Источник") == "Google"
    assert account.value("leads", ref.id, "Campaign") == LONG[:256]
    assert "without Канал: 'cpc' is not among" in str(done.said)
    assert "without responsible" in str(done.said)
    account.complaints.clear()  # of the user who has left


async def test_bitrix24(bitrix24_world: bitrix24.World) -> None:
    portal = bitrix24_world.portal
    portal.user_fields[DEAL] |= {"UF_CRM_SOURCE", "UF_CRM_CITY", "UF_CRM_NAME"}
    items = [{"ID": "44", "VALUE": "google"}, {"ID": "45", "VALUE": "yandex"}]
    portal.described = {
        (DEAL, "UF_CRM_SOURCE"): {"type": "enumeration", "items": items},
        (DEAL, "UF_CRM_CITY"): {"isRequired": True, "title": "Город"},
        (DEAL, "UF_CRM_NAME"): {"settings": {"MAX_LENGTH": 40}},
    }
    portal.scopes.add("user")
    portal.users[13] = False
    fields = {"source": "UF_CRM_SOURCE", "medium": "UF_CRM_SOURCE", "campaign": "UF_CRM_NAME"}
    rules = Rules(scenario=Scenario.DEAL, fields=fields, responsible={"office": "13"})
    connection = replace(bitrix24.OWN, rules=rules, options={"category": "9"})
    wrong = await ill(bitrix24_world.crm(connection), connection)
    assert "'cpc' is not among its options: google, yandex" in wrong.pop(
        "the field 'UF_CRM_SOURCE' for medium in each deal"
    )
    assert "accepts 40" in wrong.pop("the field 'UF_CRM_NAME' for campaign in each deal")
    required = wrong.pop("the required field 'Город' (UF_CRM_CITY) of each deal")
    assert "--default UF_CRM_CITY=TEXT" in required
    assert "User 13 has left" in wrong.pop("the user 13, responsible for office")
    assert "0 (General)" in wrong.pop("the pipeline 9")
    assert wrong == {}

    fields = {"source": "UF_CRM_SOURCE", "medium": "UF_CRM_PLAN"}
    portal.user_fields[DEAL].add("UF_CRM_PLAN")
    portal.described[DEAL, "UF_CRM_PLAN"] = {"type": "integer"}
    rules = Rules(scenario=Scenario.DEAL, fields=fields, defaults={"UF_CRM_CITY": "Moscow"})
    done = await bitrix24_world.tell(replace(bitrix24.OWN, rules=rules))
    (deal,) = bitrix24_world.all(DEAL)
    assert (deal["UF_CRM_SOURCE"], deal["UF_CRM_CITY"]) == ("44", "Moscow")
    assert "without UF_CRM_PLAN: 'cpc' is not a number" in str(done.said)


async def test_bitrix24_without_the_right_to_users_says_nothing_of_them(
    bitrix24_world: bitrix24.World,
) -> None:
    connection = replace(bitrix24.OWN, rules=Rules(responsible={"office": "13"}))
    assert await ill(bitrix24_world.crm(connection), connection) == {}


async def test_hubspot(hub: hubspot.World) -> None:
    options = [{"label": "Google Ads", "value": "google"}, {"label": "Yandex", "value": "yandex"}]
    known = hub.hub.account.properties["deals"]
    known["src"] = {"name": "src", "hasUniqueValue": False, "type": "enumeration"}
    known["src"]["options"] = options
    hub.hub.account.owners["9"] = True
    fields = {"source": "src", "medium": "src"}
    rules = Rules(fields=fields, responsible={"office": "9", "shop": "10"})
    connection = hubspot.connection(rules)
    wrong = await ill(hub.adapter(rules), connection)
    assert "missing in each contact" in wrong.pop("the field 'src' for source")
    assert "missing in each contact" in wrong.pop("the field 'src' for medium")
    assert "'cpc' is not among" in wrong.pop("the field 'src' for medium in each deal")
    assert "has left" in wrong.pop("the user 9, responsible for office")
    assert "no such user" in wrong.pop("the user 10, responsible for shop")
    assert wrong == {}

    (stage,) = (await ill(hub.adapter(options={"stage": "none"}), hubspot.connection())).items()
    assert stage[0] == "the stage none"
    assert "closedwon" in stage[1]

    done = await hub.tell(hubspot.call_event(), Rules(fields={"source": "src", "campaign": "src"}))
    assert hub.all("deals")[0].properties["src"] == "google"
    assert "without" not in str(done.said)


async def test_retailcrm(retailcrm_world: retailcrm.World) -> None:
    account = retailcrm_world.account
    account.fields["order"] |= {"src", "city"}
    account.described = {
        ("order", "src"): {"type": "dictionary", "dictionary": "sources"},
        ("order", "city"): {"required": True, "name": "Город"},
    }
    account.dictionaries = {"sources": {"g": "Google", "y": "Яндекс"}}
    account.users[18] = False
    connection = retailcrm_world.connection(
        options={"method": "one-click"},
        scenario=Scenario.DEAL,
        fields={"source": "src", "medium": "src"},
        responsible={"office": "18", "shop": "19"},
    )
    wrong = await ill(retailcrm_world.crm(connection), connection)
    assert "'cpc' is not among its options: Google, Яндекс" in wrong.pop(
        "the field 'src' for medium in each deal"
    )
    assert "--default city=TEXT" in wrong.pop("the required field 'Город' (city) of each deal")
    assert "has left" in wrong.pop("the user 18, responsible for office")
    assert "no such user" in wrong.pop("the user 19, responsible for shop")
    assert "switched off" in wrong.pop("the order method one-click")
    assert wrong == {}

    connection = retailcrm_world.connection(fields={"source": "src"}, defaults={"city": "Москва"})
    done = await retailcrm_world.tell(connection, retailcrm.call())
    (order,) = retailcrm_world.rows("orders")
    assert (order["customFields"]["src"], order["customFields"]["city"]) == ("g", "Москва")
    assert "without" not in str(done.said)


async def test_tryton(tryton_world: Tryton) -> None:
    fields = {"source": "campain", "medium": "lost_reason", "page": "comment", "number": "state"}
    rules = Rules(fields=fields, responsible={"office": "999"})
    connection = tryton_world.connection(rules=rules)
    crm = tryton_world.crm(connection)
    wrong = await ill(crm, connection)
    assert "no such field" in wrong.pop("the field 'campain' for source")
    assert "missing in each contact" in wrong.pop("the field 'lost_reason' for medium")
    assert "no such user" in wrong.pop("the user 999, responsible for office")
    assert {what.split(" for ")[0] for what in wrong} == {
        "the field 'comment'",
        "the field 'state'",
    }

    catalogue = await crm.catalogue(whole=True)
    deals = catalogue.fields[EntityKind.DEAL]
    assert FIELD in {field.name for field in deals}
    assert [field.name for field in deals if field.required] == []
