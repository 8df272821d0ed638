"""What Zoho CRM alone has: access tokens that end, and queries in a language of its own."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from router.domain.delivery.connection import Scenario
from router.domain.delivery.entity import EntityKind
from router.service.delivery.outcomes import ReceiverUnavailable
from tests.integration.crm_accounts import Line
from tests.integration.test_crm_recordings import sent
from tests.integration.zoho_world import ZohoAccount
from tests.support.builders import Clock
from tests.support.crm_calls import ANNA, call_event


@pytest_asyncio.fixture
async def zoho() -> AsyncIterator[ZohoAccount]:
    account = ZohoAccount(Clock())
    async with account.serve() as address:
        account.line = Line(address, {})
        yield account
        await account.line.close()
    assert account.violations == []


async def test_an_access_token_is_fetched_once_and_replaced_when_it_ends(zoho: ZohoAccount) -> None:
    crm = zoho.crm(zoho.connection())
    anna = zoho.add(EntityKind.CONTACT, phone=ANNA)
    for _ in range(3):
        assert [contact.ref for contact in await crm.contacts(ANNA)] == [anna]
    assert zoho.account.tokens == 1
    zoho.account.ended = 1
    assert [contact.ref for contact in await crm.contacts(ANNA)] == [anna]
    assert zoho.account.tokens == 2


async def test_a_refused_grant_names_zohos_reason(zoho: ZohoAccount) -> None:
    crm = zoho.crm(zoho.connection(), zoho.wrong_token)
    with pytest.raises(ReceiverUnavailable, match="invalid_code"):
        await crm.contacts(ANNA)


async def test_a_call_id_with_a_quotation_mark_stays_inside_the_query(zoho: ZohoAccount) -> None:
    done = await zoho.tell(call_event("o'clock' or id is not null"))
    again = await zoho.tell(call_event("o'clock' or id is not null"))
    assert [ref for ref, _ in again.entities] == [ref for ref, _ in done.entities]
    assert await zoho.crm(zoho.connection()).made_for("o'clock") == []


async def test_a_call_names_the_contact_and_the_deal_and_of_a_lead_the_lead(
    zoho: ZohoAccount,
) -> None:
    for scenario, caller in {Scenario.CONTACT_DEAL: ANNA, Scenario.LEAD: "+79120000000"}.items():
        to, call = (
            zoho.connection(scenario=scenario, recordings=True),
            call_event(scenario, caller=caller),
        )
        await sent(zoho.crm(to), to, call, await zoho.tell(call, to))
    with_deal, with_lead = zoho.account.rows["Calls"].values()
    assert with_deal["Who_Id"]["id"] in zoho.account.rows["Contacts"]
    assert with_deal["What_Id"]["id"] in zoho.account.rows["Deals"]
    assert with_lead["What_Id"]["id"] in zoho.account.rows["Leads"]
    assert "Who_Id" not in with_lead
