"""A list that exactly fills a page of the CRM's answer, and two contacts with one phone."""

import pytest

from router.domain.delivery.entity import CreatedBy, EntityKind
from tests.integration.crm_accounts import CrmAccount
from tests.support.builders import later
from tests.support.crm_calls import ANNA, CLIENT_ID, call_event

pytest_plugins = ["tests.integration.every_crm"]
CONTACT, DEAL = EntityKind.CONTACT, EntityKind.DEAL
PAGES = {"amocrm": 250, "bitrix24": 50, "pipedrive": 100, "retailcrm": 100, "hubspot": 100}
REQUESTS = 40  # of one call, at most


@pytest.mark.parametrize("more", [0, 1])
async def test_a_full_page_of_deals_neither_hides_the_open_one_nor_ends_in_a_circle(
    crm: CrmAccount, more: int
) -> None:
    anna = crm.add(CONTACT, phone=ANNA)
    for number in range(PAGES.get(crm.name, 100) - 1 + more):
        crm.clock.now = later(-100_000 + number)
        crm.add(DEAL, contact=anna, closed=True)
    crm.clock.now = later(-60)
    deal = crm.add(DEAL, contact=anna)
    count = crm.count(DEAL)
    crm.clock.now = later(70)
    done = await crm.tell(call_event())
    assert (deal, CreatedBy.NOTE) in done.entities
    assert crm.count(DEAL) == count
    assert crm.line.sent <= REQUESTS


async def test_a_full_page_of_contacts_with_one_phone_makes_no_further_one(
    crm: CrmAccount,
) -> None:
    size = PAGES.get(crm.name, 100)
    for number in range(size):
        crm.clock.now = later(-100_000 + number)
        crm.add(CONTACT, phone=ANNA)
    crm.clock.now = later(70)
    await crm.tell(call_event())
    assert (crm.count(CONTACT), crm.count(DEAL)) == (size, 1)
    assert crm.line.sent <= REQUESTS + size  # some CRMs list the deals of each contact alone


async def test_of_two_contacts_with_one_phone_the_one_with_the_open_deal_is_the_callers(
    crm: CrmAccount,
) -> None:
    crm.clock.now = later(-2000)
    crm.add(CONTACT, phone=ANNA)
    crm.clock.now = later(-1000)
    younger = crm.add(CONTACT, phone="8 (912) 345-67-89")
    deal = crm.add(DEAL, contact=younger)
    crm.clock.now = later(70)
    done = await crm.tell(call_event())
    assert (deal, CreatedBy.NOTE) in done.entities
    assert (crm.count(CONTACT), crm.count(DEAL)) == (2, 1)
    assert crm.client_id(deal) == CLIENT_ID
