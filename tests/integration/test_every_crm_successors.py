"""The client ID follows a lead into what it became, and a contact into what it was merged into."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from router.domain.delivery.connection import Repeat, Scenario
from router.domain.delivery.entity import EntityKind
from tests.integration.crm_accounts import CrmAccount, Line
from tests.integration.espocrm_world import EspoCrmAccount
from tests.integration.salesforce_world import SalesforceAccount
from tests.integration.test_taken_back import boris, kept_of
from tests.support.builders import Clock, later
from tests.support.crm_calls import ANNA, call_event

pytest_plugins = ["tests.integration.every_crm"]
CONTACT, DEAL, LEAD = EntityKind.CONTACT, EntityKind.DEAL, EntityKind.LEAD
NAMES = {
    SalesforceAccount: ("ConvertedContactId", "ConvertedOpportunityId", {"IsConverted": True}),
    EspoCrmAccount: ("createdContactId", "createdOpportunityId", {"status": "Converted"}),
}


async def test_a_lead_that_is_gone_is_followed_to_the_contact_and_its_deal(
    crm: CrmAccount,
) -> None:
    call, to = call_event(), crm.connection(scenario=Scenario.LEAD)
    kept = kept_of(await crm.tell(call, to), call)
    (lead,) = (entity.ref for entity in kept if entity.kind is LEAD)
    crm.delete(lead)
    deal = crm.add(DEAL, contact=crm.add(CONTACT, phone=ANNA))
    await crm.tell(boris(call), to, kept=kept, before=[call])
    assert crm.client_id(deal) == "777.888"


async def test_a_lead_of_another_call_does_not_take_the_place_of_one_that_is_gone(
    crm: CrmAccount,
) -> None:
    call, to = call_event(), crm.connection(scenario=Scenario.LEAD, repeat=Repeat.DEAL)
    kept = kept_of(await crm.tell(call, to), call)
    unknown = {name: text for name, text in call.facts.items() if name != "client_id"}
    other = await crm.tell(replace(call_event("call-2"), facts=unknown), to)
    (another,) = (ref for ref, _ in other.entities if ref.kind is LEAD)
    crm.delete(kept[0].ref)
    crm.add(CONTACT, phone=ANNA)
    await crm.tell(boris(call), to, kept=kept, before=[call])
    assert crm.client_id(another) is None


@pytest.mark.parametrize("kind", NAMES)
async def test_a_converted_lead_is_followed_where_the_crm_says_what_it_became(
    kind: type[SalesforceAccount | EspoCrmAccount],
) -> None:
    account, call = kind(Clock(later(70))), call_event()
    async with account.serve() as address:
        account.line, to = Line(address, {}), account.connection(scenario=Scenario.LEAD)
        kept = kept_of(await account.tell(call, to), call)
        contact = account.add(CONTACT, phone="+79990000000")
        deal = account.add(DEAL, contact=contact)
        to_contact, to_deal, state = NAMES[kind]
        row: dict[str, Any] = account.row(kept[0].ref)
        row |= {to_contact: contact.id, to_deal: deal.id, **state}
        await account.tell(boris(call), to, kept=kept, before=[call])
        await account.line.close()
    assert [account.client_id(ref) for ref in (contact, deal)] == ["777.888"] * 2
    assert account.violations == []


@pytest.mark.parametrize("is_circle", [False, True], ids=["a chain", "a circle"])
async def test_a_contact_that_was_merged_several_times_is_followed(is_circle: bool) -> None:
    account, call = SalesforceAccount(Clock(later(70))), call_event()
    async with account.serve() as address:
        account.line = Line(address, {})
        kept = kept_of(await account.tell(call), call)
        (first,) = (entity.ref for entity in kept if entity.kind is CONTACT)
        refs = [first, *(account.add(CONTACT, phone=f"+7999000000{digit}") for digit in range(3))]
        for ref, into in itertools.pairwise(refs):
            account.account.merge("Contact", ref.id, into.id)
        if is_circle:
            account.account.merge("Contact", refs[-1].id, first.id)
        await account.tell(boris(call), kept=kept, before=[call])
        await account.line.close()
    (deal,) = (entity.ref for entity in kept if entity.kind is DEAL)
    assert account.client_id(deal) == "777.888"
    assert is_circle or account.client_id(refs[-1]) == "777.888"
