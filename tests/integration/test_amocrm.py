"""amoCRM that we fill ourselves: what a call becomes there, once, whatever happens to us
meanwhile.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio

from router.domain.delivery.connection import SCENARIO_KINDS, Connection, Repeat, Rules, Scenario
from router.domain.delivery.entity import CreatedBy, EntityKind, Ref
from tests.contracts.amocrm_book import LOST
from tests.contracts.amocrm_models import ENTITIES
from tests.integration.amocrm_world import Died, World, amocrm_world, contact, owner
from tests.support.builders import NOON
from tests.support.crm_calls import ANNA, CLIENT_ID, call_event

PATHS = {EntityKind.CONTACT: "contacts", EntityKind.COMPANY: "companies"}
EVERYTHING = Rules(scenario=Scenario.COMPANY_CONTACT_DEAL)


@pytest_asyncio.fixture
async def amo() -> AsyncIterator[World]:
    async with amocrm_world() as world:
        await world.prepare(rules=EVERYTHING)
        yield world


def own(amo: World, scenario: Scenario = Scenario.CONTACT_DEAL, **rules: object) -> Connection:
    return amo.connection(rules=Rules(scenario=scenario, **rules))  # type: ignore[arg-type]


def counted(amo: World) -> dict[str, int]:
    return {path: len(amo.account.those(path)) for path in ENTITIES}


def expected(scenario: Scenario) -> dict[str, int]:
    paths = [PATHS.get(kind, "leads") for kind in SCENARIO_KINDS[scenario]]
    unaccepted = ["contacts"] if scenario is Scenario.LEAD else []  # it comes with its contact
    return {path: [*paths, *unaccepted].count(path) for path in ENTITIES}


@pytest.mark.parametrize("scenario", Scenario)
async def test_a_call_becomes_what_the_scenario_says_with_its_client_id(
    amo: World, scenario: Scenario
) -> None:
    done = await amo.annotate(own(amo, scenario))
    assert counted(amo) == expected(scenario)
    assert [ref.kind for ref, _ in done.entities] == list(SCENARIO_KINDS[scenario])
    for ref, _ in done.entities:
        path = PATHS.get(ref.kind, "leads")
        field = "GCLIENTID" if path == "leads" else "GA_CLIENT_ID"
        assert amo.account.value(path, ref.id, field) == CLIENT_ID
        assert amo.account.value(path, ref.id, "RINGTRACE_CALL_ID") == "rt1-1.0"


@pytest.mark.parametrize("lags", [False, True], ids=["search is fresh", "search lags"])
@pytest.mark.parametrize("scenario", Scenario)
async def test_killed_after_any_request_there_is_one_of_each(
    amo: World, scenario: Scenario, lags: bool
) -> None:
    connection, deaths = own(amo, scenario), 0
    while True:
        amo.fresh().search_lags = lags
        try:
            await amo.annotate(connection, dies_after=deaths + 1)
            break
        except Died:
            deaths += 1
        done = await amo.annotate(connection)
        assert counted(amo) == expected(scenario)
        assert {ref.kind for ref, _ in done.entities} == set(SCENARIO_KINDS[scenario])
        assert amo.account.complaints == []
        (lead,) = amo.account.those("leads")
        assert amo.account.value("leads", lead["id"], "GCLIENTID") == CLIENT_ID
    assert deaths > 4


async def test_killed_after_any_request_an_open_deal_gets_one_note(amo: World) -> None:
    connection, deaths = own(amo), 0
    while True:
        amo.fresh()
        await amo.annotate(connection, call_event("rt1-1.0"))
        try:
            await amo.annotate(connection, call_event("rt1-2.0"), dies_after=deaths + 1)
            break
        except Died:
            deaths += 1
        await amo.annotate(connection, call_event("rt1-2.0"))
        assert len(amo.account.notes["leads"]) == 1
        assert counted(amo) == expected(Scenario.CONTACT_DEAL)
    assert deaths > 4


async def test_a_lead_that_was_accepted_meanwhile_is_not_put_there_again(amo: World) -> None:
    connection = own(amo, Scenario.LEAD)
    first = await amo.annotate(connection)
    amo.account.accept(amo.account.unsorted[0])
    again = await amo.annotate(connection)
    assert (again.entities[0], again.client_id) == (first.entities[0], first.client_id)
    assert [ref.kind for ref, _ in again.entities] == [EntityKind.LEAD, EntityKind.CONTACT]
    assert "by an earlier attempt" in str(again.said)
    assert counted(amo) == expected(Scenario.LEAD)


async def test_who_calls_again_while_the_lead_waits_gets_a_note_on_it(amo: World) -> None:
    connection = own(amo, Scenario.LEAD)
    first = await amo.annotate(connection, call_event("rt1-1.0"))
    second = await amo.annotate(connection, call_event("rt1-2.0"))
    assert [ref for ref, _ in second.entities] == [ref for ref, _ in first.entities]
    assert "[ringtrace:rt1-2.0]" in amo.account.notes["leads"][0]["params"]["text"]


@pytest.mark.parametrize(
    "spelled",
    [
        "+79123456789",
        "89123456789",
        "79123456789",
        "9123456789",
        "+7 (912) 345-67-89",
        "8 912 345-67-89, доб. 12",
    ],
)
async def test_a_known_contact_is_found_however_the_phone_is_written(
    amo: World, spelled: str
) -> None:
    known = contact(amo, spelled)
    await amo.annotate(own(amo))
    assert counted(amo)["contacts"] == 1
    (lead,) = amo.account.those("leads")
    assert lead["_embedded"]["contacts"] == [{"id": known}]


async def test_of_two_contacts_with_one_phone_the_older_gets_the_deal(amo: World) -> None:
    contact(amo, "89123456789", at=NOON - timedelta(days=1))
    older = contact(amo, "+79123456789", at=NOON - timedelta(days=2))
    await amo.annotate(own(amo))
    (lead,) = amo.account.those("leads")
    assert lead["_embedded"]["contacts"] == [{"id": older}]


async def test_who_merely_has_the_digits_somewhere_is_another_person(amo: World) -> None:
    contact(amo, "+74959999999", name="agreement 9123456789 of May")
    contact(amo, "+79123456789 11")
    await amo.annotate(own(amo))
    assert counted(amo)["contacts"] == 3


async def test_hidden_callers_are_never_one_person(amo: World) -> None:
    for id_ in ("rt1-1.0", "rt1-2.0"):
        await amo.annotate(own(amo), call_event(id_, caller=None))
    assert counted(amo) == {"leads": 2, "contacts": 2, "companies": 0}
    assert all(
        amo.account.value("contacts", contact["id"], "PHONE") is None
        for contact in amo.account.those("contacts")
    )


async def test_a_hidden_caller_may_be_an_unsorted_lead(amo: World) -> None:
    await amo.annotate(own(amo, Scenario.LEAD), call_event(caller=None))
    assert amo.account.unsorted[0]["metadata"]["uniq"] == "rt1-1.0"


async def test_company_contact_and_deal_know_each_other(amo: World) -> None:
    await amo.annotate(own(amo, Scenario.COMPANY_CONTACT_DEAL))
    (lead,), (person,), (company,) = (
        amo.account.those(path) for path in ("leads", "contacts", "companies")
    )
    assert lead["_embedded"]["contacts"] == [{"id": person["id"]}]
    assert (
        lead["_embedded"]["companies"]
        == person["_embedded"]["companies"]
        == [{"id": company["id"]}]
    )


async def test_a_closed_deal_is_no_reason_for_a_note(amo: World) -> None:
    await amo.annotate(own(amo), call_event("rt1-1.0"))
    amo.account.those("leads")[0]["status_id"] = LOST
    await amo.annotate(own(amo), call_event("rt1-2.0"))
    assert counted(amo) == {"leads": 2, "contacts": 1, "companies": 0}


async def test_by_rule_each_call_is_a_deal_of_the_same_contact(amo: World) -> None:
    for id_ in ("rt1-1.0", "rt1-1.01"):  # the one is how the other begins
        await amo.annotate(own(amo, repeat=Repeat.DEAL), call_event(id_))
    assert counted(amo) == {"leads": 2, "contacts": 1, "companies": 0}


async def test_a_lead_of_a_known_contact_is_unsorted_with_that_contact(amo: World) -> None:
    known = contact(amo, ANNA)
    await amo.annotate(own(amo, Scenario.LEAD))
    assert amo.account.unsorted[0]["_embedded"]["contacts"] == [{"id": known}]


async def test_chosen_facts_go_into_the_fields_that_a_kind_has(amo: World) -> None:
    amo.account.add_field("contacts", type="text", name="Canal")
    connection = own(amo, fields={"source": "utm_source", "medium": "canal"})
    await amo.annotate(connection)
    lead, person = amo.account.those("leads")[0]["id"], amo.account.those("contacts")[0]["id"]
    assert amo.account.value("leads", lead, "UTM_SOURCE") == "google"
    assert amo.account.value("contacts", person, "Canal") == "cpc"
    assert "talk 50 s" in (amo.account.value("leads", lead, "RINGTRACE_CALL") or "")


async def test_a_lead_is_in_the_stage_and_with_the_person_of_the_options(amo: World) -> None:
    rules = Rules(responsible={"office": "77"})
    options = {"pipeline": "31", "status": "3101", "tag": "calls"}
    await amo.annotate(amo.connection(rules=rules, options=options))
    (lead,) = amo.account.those("leads")
    assert (lead["pipeline_id"], lead["status_id"], lead["responsible_user_id"]) == (31, 3101, 77)
    assert lead["_embedded"]["tags"] == [{"name": "calls"}]


async def test_who_answered_goes_along_with_an_unsorted_lead(amo: World) -> None:
    await amo.annotate(
        own(amo, Scenario.LEAD, responsible={"101": "77"}), call_event(answered_by="101")
    )
    assert amo.account.unsorted[0]["metadata"]["call_responsible"] == 77


async def test_a_user_who_is_no_number_is_left_out_in_words(amo: World) -> None:
    done = await amo.annotate(own(amo, responsible={"office": "ivanov"}))
    assert "responsible user is 'ivanov', but amoCRM uses only numbers" in str(done.said)
    assert done.client_id
    assert counted(amo) == expected(Scenario.CONTACT_DEAL)


@pytest.mark.parametrize("code", ["gclientid", "GclientID"])
async def test_the_statistics_field_is_found_in_any_case(amo: World, code: str) -> None:
    for field in amo.account.fields["leads"]:
        if field["name"] == "gclientid":
            field.update(code=code, name="Google")
    await amo.annotate(own(amo))
    assert amo.account.those("leads")[0]["custom_fields_values"][0]["field_code"] == code


async def test_without_statistics_the_client_id_has_a_field_of_ours(amo: World) -> None:
    account = amo.account
    account.fields["leads"] = [
        field for field in account.fields["leads"] if field["type"] != "tracking_data"
    ]
    assert await amo.prepare() == ["leads: Google client ID"]
    await amo.annotate(own(amo))
    assert account.value("leads", account.those("leads")[0]["id"], "GA_CLIENT_ID") == CLIENT_ID


async def test_a_call_of_an_unknown_visitor_is_sent_without_a_client_id(amo: World) -> None:
    call = call_event()
    await amo.annotate(
        own(amo), replace(call, facts={k: v for k, v in call.facts.items() if k != "client_id"})
    )
    assert amo.account.value("leads", amo.account.those("leads")[0]["id"], "GCLIENTID") is None


@pytest.mark.parametrize("spelled", [ANNA, "8 (912) 345-67-89"])
async def test_a_company_with_an_open_deal_gets_an_event_and_no_contact(
    amo: World, spelled: str
) -> None:
    firm = owner(amo, "companies", spelled, name="Windows Ltd")
    deal = amo.account.put("leads", name="Windows", _embedded={"companies": [{"id": firm}]})
    done = await amo.annotate(amo.connection())
    assert done.entities == ((Ref(kind=EntityKind.DEAL, id=str(deal["id"])), CreatedBy.NOTE),)
    assert counted(amo) == {"leads": 1, "contacts": 0, "companies": 1}


@pytest.mark.parametrize(
    "scenario", [Scenario.CONTACT_DEAL, Scenario.COMPANY_CONTACT_DEAL, Scenario.LEAD]
)
async def test_what_a_known_company_gets_belongs_to_it(amo: World, scenario: Scenario) -> None:
    firm = owner(amo, "companies", "8 912 345 67 89", name="Windows Ltd")
    await amo.annotate(amo.connection(rules=Rules(scenario=scenario)))
    (lead,) = amo.account.those("leads")
    assert lead["_embedded"]["companies"] == [{"id": firm}]
    assert counted(amo) == {"leads": 1, "contacts": 0, "companies": 1}


async def test_a_contact_of_another_company_stays_there(amo: World) -> None:
    firm, other = (owner(amo, "companies", phone, name="Ltd") for phone in (ANNA, "+79120000000"))
    person = owner(amo, "contacts", ANNA)
    account = amo.account
    account.join(
        account.known("contacts", person),
        "contacts",
        account.known("companies", other),
        "companies",
    )
    await amo.annotate(amo.connection())
    (lead,) = account.those("leads")
    assert lead["_embedded"]["companies"] == [{"id": firm}]
    assert account.known("contacts", person)["_embedded"]["companies"] == [{"id": other}]


async def test_a_belarusian_caller_is_known_in_national_spelling(amo: World) -> None:
    owner(amo, "contacts", "8 (029) 123-45-67")
    await amo.annotate(amo.connection(), call_event(caller="+375291234567"))
    assert counted(amo) == {"leads": 1, "contacts": 1, "companies": 0}
