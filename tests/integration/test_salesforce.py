"""What Salesforce alone has, and how another's client sees the organization of our tests."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from simple_salesforce import Salesforce as Client  # type: ignore[attr-defined]

from router.domain.delivery.connection import Scenario
from router.domain.delivery.entity import EntityKind
from router.service.delivery.outcomes import ReceiverUnavailable
from tests.integration.crm_accounts import Line
from tests.integration.salesforce_world import FIELD, SalesforceAccount
from tests.integration.test_crm_recordings import sent
from tests.support.builders import Clock, later
from tests.support.crm_calls import ANNA, CLIENT_ID, call_event


@pytest_asyncio.fixture
async def salesforce() -> AsyncIterator[SalesforceAccount]:
    account = SalesforceAccount(Clock())
    async with account.serve() as address:
        account.line = Line(address, {})
        yield account
        await account.line.close()
    assert account.violations == []


async def test_anothers_client_and_we_understand_the_same_organization(
    salesforce: SalesforceAccount,
) -> None:
    anna = salesforce.add(EntityKind.CONTACT, phone="8 (912) 345-67-89")
    done = await salesforce.tell(call_event())
    (deal,) = (ref for ref, _ in done.entities if ref.kind is EntityKind.DEAL)

    theirs = Client(session_id=f"token-{salesforce.account.tokens}", instance="127.0.0.1")
    theirs.base_url = f"{salesforce.line.address}/services/data/v62.0/"
    role = f"SELECT OpportunityId FROM OpportunityContactRole WHERE ContactId IN ('{anna.id}')"
    query = f"SELECT Id, {FIELD} FROM Opportunity WHERE Id IN ({role})"
    query += " ORDER BY CreatedDate DESC LIMIT 5"
    answer = await asyncio.to_thread(theirs.query, query)
    assert [(record["Id"], record[FIELD]) for record in answer["records"]] == [(deal.id, CLIENT_ID)]

    path = f"sobjects/Opportunity/{deal.id}"
    await asyncio.to_thread(theirs.restful, path, None, "PATCH", json={FIELD: "7.7"})
    crm = salesforce.crm(salesforce.connection())
    assert await crm.read(deal, [FIELD]) == {FIELD: "7.7"}


async def test_an_access_token_is_fetched_once_and_replaced_when_it_ends(
    salesforce: SalesforceAccount,
) -> None:
    crm = salesforce.crm(salesforce.connection())
    anna = salesforce.add(EntityKind.CONTACT, phone=ANNA)
    for _ in range(3):
        assert [contact.ref for contact in await crm.contacts(ANNA)] == [anna]
    assert salesforce.account.tokens == 1
    salesforce.account.tokens += 1  # the server forgot the old one
    assert [contact.ref for contact in await crm.contacts(ANNA)] == [anna]


async def test_what_two_workers_create_at_once_is_one_record(
    salesforce: SalesforceAccount,
) -> None:
    to = salesforce.connection(scenario=Scenario.LEAD)
    both = await asyncio.gather(
        salesforce.tell(call_event(), to), salesforce.tell(call_event(), to)
    )
    assert salesforce.count(EntityKind.LEAD) == 1
    assert len({ref for done in both for ref, _ in done.entities}) == 1


async def test_a_refused_grant_names_salesforces_reason(salesforce: SalesforceAccount) -> None:
    crm = salesforce.crm(salesforce.connection(), salesforce.wrong_token)
    with pytest.raises(ReceiverUnavailable, match="invalid_client"):
        await crm.contacts(ANNA)


async def test_a_call_id_with_a_quotation_mark_stays_inside_the_query(
    salesforce: SalesforceAccount,
) -> None:
    call = call_event("o'clock\\' OR Name LIKE '%")
    done = await salesforce.tell(call)
    again = await salesforce.tell(call)
    assert [ref for ref, _ in again.entities] == [ref for ref, _ in done.entities]
    assert await salesforce.crm(salesforce.connection()).made_for("o'clock\\") == []


async def test_a_call_names_the_contact_and_the_deal_and_of_a_lead_the_lead(
    salesforce: SalesforceAccount,
) -> None:
    for scenario, caller in {Scenario.CONTACT_DEAL: ANNA, Scenario.LEAD: "+79120000000"}.items():
        to = salesforce.connection(scenario=scenario, recordings=True)
        call = call_event(scenario, caller=caller)
        await sent(salesforce.crm(to), to, call, await salesforce.tell(call, to))
    with_deal, with_lead = salesforce.account.rows["Task"].values()
    assert with_deal["WhoId"] in salesforce.account.rows["Contact"]
    assert with_deal["WhatId"] in salesforce.account.rows["Opportunity"]
    assert with_lead["WhoId"] in salesforce.account.rows["Lead"]
    assert with_deal["CallObject"] == Scenario.CONTACT_DEAL


async def test_a_task_reminds_its_owner_when_it_is_due(salesforce: SalesforceAccount) -> None:
    missed = call_event(answered=False, talk=0)
    await salesforce.tell(missed, salesforce.connection(task=True))
    (task,) = salesforce.account.rows["Task"].values()
    assert task["IsReminderSet"] is True
    assert task["ReminderDateTime"] == later(60 + 3600).isoformat(timespec="seconds")
