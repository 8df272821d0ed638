"""Companies that HubSpot knows: their calls become events and deals of theirs."""

from collections.abc import AsyncIterator
from itertools import count

import pytest

from router.domain.delivery.connection import Rules, Scenario
from router.domain.delivery.entity import EntityKind
from tests.integration.hubspot_world import (
    CALLER,
    Died,
    World,
    account,
    call_event,
)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with account() as there:
        yield there


@pytest.mark.parametrize(
    "spelled", ["+79123456789", "89123456789", "8 (912) 345-67-89", "+7 912 345-67-89"]
)
async def test_a_company_with_an_open_deal_gets_an_event_and_no_contact(
    world: World, spelled: str
) -> None:
    company = world.put("companies", {"name": "Windows Ltd", "phone": spelled})
    deal = world.put("deals", {"dealname": "Windows"}, ("companies", company.id))
    world.hub.account.pass_time(60)
    done = await world.tell(call_event())
    assert [(ref.kind, ref.id) for ref, _ in done.entities] == [(EntityKind.DEAL, deal.id)]
    assert world.counts() == {"companies": 1, "deals": 1, "notes": 1}


@pytest.mark.parametrize("scenario", [Scenario.CONTACT_DEAL, Scenario.COMPANY_CONTACT_DEAL])
async def test_killed_after_any_request_a_known_company_has_one_deal(
    world: World, scenario: Scenario
) -> None:
    for dies_after in count(1):
        world.empty()
        company = world.put("companies", {"name": "Windows Ltd", "phone": CALLER})
        world.hub.account.pass_time(60)
        died = False
        try:
            await world.tell(call_event(), Rules(scenario=scenario), dies_after=dies_after)
        except Died:
            died = True
            await world.tell(call_event(), Rules(scenario=scenario))
        assert world.counts() == {"companies": 1, "deals": 1}, dies_after
        assert world.hub.account.linked("companies", company.id, "deals") == [
            world.all("deals")[0].id
        ]
        if not died:
            break
    assert dies_after > 5


async def test_the_contact_of_a_companys_lead_belongs_to_it(world: World) -> None:
    company = world.put("companies", {"name": "Windows Ltd", "phone": CALLER})
    world.hub.account.pass_time(60)
    await world.tell(call_event(), Rules(scenario=Scenario.LEAD))
    assert world.hub.account.linked("companies", company.id, "contacts") == [
        world.all("contacts")[0].id
    ]
