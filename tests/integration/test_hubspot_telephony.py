"""What the company's telephony creates in HubSpot gets the client ID: late, twice, never, and
interrupted.
"""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from router.domain.delivery.connection import Mode, Overwrite, Rules
from router.domain.delivery.entity import CreatedBy, EntityKind, Ref
from router.service.delivery.outcomes import NeedsReview
from tests.contracts.hubspot import EVERY_SCOPE
from tests.integration.hubspot_world import CALLER, CLIENT_ID, Died, World, account, call_event
from tests.support.builders import later


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with account() as there:
        yield there


async def test_what_the_calls_record_belongs_to_gets_the_client_id(world: World) -> None:
    world.put(
        "deals",
        {
            "dealname": "of somebody else",
            "pipeline": "default",
            "dealstage": "appointmentscheduled",
        },
    )
    contact = world.put("contacts", {"phone": "8 912 345-67-89"})
    deal = world.put("deals", {"dealname": "call"}, ("contacts", contact.id))
    world.logged(CALLER, ("contacts", contact.id), ("deals", deal.id))
    done = await world.tell_until(call_event())
    assert done.entities == ((Ref(kind=EntityKind.DEAL, id=deal.id), CreatedBy.TELEPHONY),)
    assert [deal.properties.get("ga_client_id") for deal in world.all("deals")] == [None, CLIENT_ID]


async def test_a_deal_that_the_record_names_wins_over_another_new_one(world: World) -> None:
    contact = world.put("contacts", {"phone": "8 912 345-67-89"})
    world.put("deals", {"dealname": "somebody was quick"}, ("contacts", contact.id))
    ours = world.put("deals", {"dealname": "call"})
    world.logged(CALLER, ("deals", ours.id))
    done = await world.tell_until(call_event())
    assert done.entities[0][0].id == ours.id


@pytest.mark.parametrize("look", [1, 4, 12])
async def test_a_late_telephony_is_waited_for(world: World, look: int) -> None:
    def create() -> None:
        contact = world.put("contacts", {"phone": CALLER})
        world.put("deals", {"dealname": "call"}, ("contacts", contact.id))

    done = await world.tell_until(call_event(), meanwhile={look: create})
    assert done.entities[0][0].kind is EntityKind.DEAL
    assert world.all("deals")[0].properties["ga_client_id"] == CLIENT_ID


@pytest.mark.parametrize("logged", [False, True], ids=["without a record", "with a record"])
async def test_a_telephony_that_creates_two_deals_is_left_to_a_person(
    world: World, logged: bool
) -> None:
    contact = world.put("contacts", {"phone": CALLER})
    for name in ("one", "two"):
        world.put("deals", {"dealname": name}, ("contacts", contact.id))
    if logged:
        world.logged(CALLER, ("contacts", contact.id))
    with pytest.raises(NeedsReview) as needs_review:
        await world.tell_until(call_event())
    assert {candidate.title for candidate in needs_review.value.candidates} == {"one", "two"}
    assert not any("ga_client_id" in deal.properties for deal in world.all("deals"))


async def test_a_telephony_that_creates_nothing_leaves_an_orphan(world: World) -> None:
    world.put("contacts", {"phone": "+79990000000"})
    with pytest.raises(NeedsReview, match="no CRM record appeared within 900 s"):
        await world.tell_until(call_event())


async def test_nothing_is_found_for_a_hidden_number(world: World) -> None:
    world.put("contacts", {"firstname": "nobody"})
    with pytest.raises(NeedsReview):
        await world.tell_until(call_event(caller=None))


async def test_a_contact_alone_is_taken_when_no_deal_comes(world: World) -> None:
    contact = world.put("contacts", {"phone": CALLER})
    world.logged("8 912 345-67-89", ("contacts", contact.id))
    done = await world.tell_until(call_event())
    assert done.entities == ((Ref(kind=EntityKind.CONTACT, id=contact.id), CreatedBy.TELEPHONY),)
    assert world.hub.account.now >= later(120), "a deal was not waited for"


async def test_an_old_contact_and_what_we_created_ourselves_are_not_the_telephonys(
    world: World,
) -> None:
    await world.tell(call_event())  # while we were to create
    with pytest.raises(NeedsReview):
        await world.tell_until(
            replace(call_event("pbx-2"), arrived_at=later(20), ended_at=later(60))
        )


@pytest.mark.parametrize("overwrite", Overwrite)
async def test_a_client_id_that_is_there_is_kept_unless_the_rule_says_otherwise(
    world: World, overwrite: Overwrite
) -> None:
    contact = world.put("contacts", {"phone": CALLER})
    deal = world.put(
        "deals", {"dealname": "call", "ga_client_id": "theirs"}, ("contacts", contact.id)
    )
    await world.tell_until(call_event(), Rules(overwrite=overwrite))
    assert deal.properties["ga_client_id"] == (
        "theirs" if overwrite is Overwrite.NEVER else CLIENT_ID
    )


async def test_killed_after_any_request_the_telephonys_deal_has_the_client_id_once(
    world: World,
) -> None:
    for requests in range(1, 100):
        world.empty()
        contact = world.put("contacts", {"phone": CALLER})
        deal = world.put("deals", {"dealname": "call"}, ("contacts", contact.id))
        world.logged(CALLER, ("contacts", contact.id), ("deals", deal.id))
        world.hub.account.pass_time(30)
        try:
            await world.tell(call_event(), dies_after=requests, mode=Mode.TELEPHONY)
        except Died:
            await world.tell(call_event(), mode=Mode.TELEPHONY)
            assert world.counts() == {"contacts": 1, "deals": 1, "calls": 1}
            assert world.all("deals")[0].properties["ga_client_id"] == CLIENT_ID
        else:
            break
    assert requests > 6


async def test_leads_of_the_telephony_are_found_where_the_token_opens_them() -> None:
    for scopes, wanted in (
        (EVERY_SCOPE, EntityKind.LEAD),
        (EVERY_SCOPE - {"crm.objects.leads.read"}, None),
    ):
        async with account(scopes=scopes) as world:
            contact = world.put("contacts", {"firstname": "without a phone"})
            lead = world.put("leads", {"hs_lead_name": "call"}, ("contacts", contact.id))
            world.logged(CALLER, ("leads", lead.id))
            rules = Rules(targets=(EntityKind.LEAD, EntityKind.DEAL))
            if wanted:
                assert (await world.tell_until(call_event(), rules)).entities[0][0].kind is wanted
            else:
                with pytest.raises(NeedsReview):
                    await world.tell_until(call_event(), rules)


async def test_a_call_that_was_logged_on_a_company_is_the_companys(world: World) -> None:
    world.hub.account.now = later(-86400)
    company = world.put("companies", {"name": "Windows Ltd", "phone": CALLER})
    world.hub.account.now = later(60)
    world.logged(CALLER, ("companies", company.id))
    world.hub.account.pass_time(60)
    done = await world.tell_until(call_event())
    assert [(ref.kind, ref.id) for ref, _ in done.entities] == [(EntityKind.COMPANY, company.id)]


async def test_a_repeat_call_that_was_logged_on_a_contact_is_the_contacts(world: World) -> None:
    world.hub.account.now = later(-86400)
    contact = world.put("contacts", {"phone": "8 (912) 345-67-89"})
    world.put("deals", {"dealname": "Old", "dealstage": "closedwon"}, ("contacts", contact.id))
    world.hub.account.now = later(60)
    world.logged(CALLER, ("contacts", contact.id))
    world.hub.account.pass_time(60)
    done = await world.tell_until(call_event())
    assert [(ref.kind, ref.id) for ref, _ in done.entities] == [(EntityKind.CONTACT, contact.id)]
