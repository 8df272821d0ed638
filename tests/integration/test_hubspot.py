"""What we create in HubSpot: one entity of each kind, whatever is interrupted, repeated or known
already.
"""

from collections.abc import AsyncIterator

import pytest

from router.domain.delivery.connection import SCENARIO_KINDS, Missed, Repeat, Rules, Scenario
from router.domain.delivery.entity import CreatedBy, EntityKind, Ref
from router.service.delivery.crm_update import annotate
from tests.integration.hubspot_world import (
    CALLER,
    CLIENT_ID,
    Died,
    World,
    account,
    call_event,
    connection,
)
from tests.support.builders import NOON

MADE = {
    Scenario.DEAL: {"deals": 1},
    Scenario.CONTACT_DEAL: {"contacts": 1, "deals": 1},
    Scenario.LEAD: {"contacts": 1, "leads": 1, "notes": 1},
    Scenario.COMPANY_CONTACT_DEAL: {"companies": 1, "contacts": 1, "deals": 1},
}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with account() as there:
        yield there


@pytest.mark.parametrize("scenario", Scenario)
async def test_a_new_caller_becomes_what_the_scenario_says_with_the_client_id_on_each(
    world: World, scenario: Scenario
) -> None:
    done = await world.tell(call_event(), Rules(scenario=scenario, responsible={"office": "42"}))
    assert world.counts() == MADE[scenario]
    assert {created_by for _, created_by in done.entities} == {CreatedBy.US}
    for kind in set(MADE[scenario]) - {"notes"}:
        (made,) = world.all(kind)
        assert made.properties["ga_client_id"] == CLIENT_ID
        assert made.properties["hubspot_owner_id"] == "42"
        if kind in {"contacts", "companies"}:
            assert made.properties["phone"] == CALLER


async def test_a_company_its_contact_and_its_deal_hang_together(world: World) -> None:
    await world.tell(call_event(), Rules(scenario=Scenario.COMPANY_CONTACT_DEAL))
    (company,), (contact,), (deal,) = (
        world.all(kind) for kind in ("companies", "contacts", "deals")
    )
    linked = world.hub.account.linked
    assert (
        linked("deals", deal.id, "contacts")
        == linked("companies", company.id, "contacts")
        == [contact.id]
    )
    assert linked("deals", deal.id, "companies") == [company.id]


async def test_a_deal_gets_the_stage_of_the_options_and_the_mapped_facts(world: World) -> None:
    rules = Rules(fields={"source": "call_source"})
    crm = world.adapter(rules, options={"stage": "contractsent", "pipeline": ""})
    assert await crm.prepare() == [
        "contacts: call_source",
        "deals: call_source",
    ]
    assert all(check.well for check in await crm.check())
    await annotate(crm, connection(rules), call_event(), looks=0, now=NOON)
    (deal,) = world.all("deals")
    assert (deal.properties["dealstage"], deal.properties["call_source"]) == (
        "contractsent",
        "google",
    )


@pytest.mark.parametrize("known", [False, True], ids=["a new caller", "a known contact"])
@pytest.mark.parametrize(
    "pause", [0, 120], ids=["tried again at once", "tried again when the search knows"]
)
@pytest.mark.parametrize("scenario", Scenario)
async def test_killed_after_any_request_there_is_one_entity_of_each_kind(
    world: World, scenario: Scenario, pause: float, known: bool
) -> None:
    rules, wanted, ours = Rules(scenario=scenario), MADE[scenario], set(SCENARIO_KINDS[scenario])
    if known:
        ours = (ours - {EntityKind.COMPANY}) | {EntityKind.CONTACT}  # which gets the client ID
        wanted = {kind: count for kind, count in wanted.items() if kind != "companies"} | {
            "contacts": 1
        }
    for requests in range(1, 100):
        world.empty()
        if known:
            world.put("contacts", {"phone": "8 (912) 345-67-89"})
            world.hub.account.pass_time(10)
        try:
            done = await world.tell(call_event(), rules, dies_after=requests)
        except Died:
            world.hub.account.pass_time(pause)
            done = await world.tell(call_event(), rules)
            assert world.counts() == wanted, f"killed after {requests} requests"
            _assert_tied(world, scenario, known)
            assert {ref.kind for ref, _ in done.entities} - {EntityKind.CONTACT} == ours - {
                EntityKind.CONTACT
            }
            assert all(
                contact.properties["ga_client_id"] == CLIENT_ID for contact in world.all("contacts")
            )
        else:
            break
    assert requests > 4, "it was never killed"


def _assert_tied(world: World, scenario: Scenario, known: bool) -> None:
    linked, contacts = world.hub.account.linked, [contact.id for contact in world.all("contacts")]
    for kind in ("deals", "leads"):
        for made in world.all(kind):
            assert linked(kind, made.id, "contacts") == contacts
            assert made.properties["ga_client_id"] == CLIENT_ID
    for company in world.all("companies"):
        assert linked("companies", company.id, "contacts") == contacts
        assert len(linked("companies", company.id, "deals")) == 1


async def test_a_call_sent_twice_changes_nothing(world: World) -> None:
    first = await world.tell(call_event())
    world.all("contacts")[0].properties["firstname"] = "Anna, as a person wrote"
    world.hub.account.pass_time(120)
    assert (await world.tell(call_event())).entities == first.entities
    assert world.all("contacts")[0].properties["firstname"] == "Anna, as a person wrote"


async def test_a_second_call_within_the_searchs_lag_is_a_note_on_the_firsts_deal(
    world: World,
) -> None:
    first = await world.tell(call_event())
    recent = [ref for ref, _ in first.entities]
    for attempt in range(3):
        done = await world.tell(call_event("pbx-2"), recent=recent)
        assert done.entities == ((recent[1], CreatedBy.NOTE), (recent[0], CreatedBy.NOTE)), attempt
    assert world.counts() == {"contacts": 1, "deals": 1, "notes": 1}
    assert world.hub.account.linked("deals", recent[1].id, "notes") == [world.all("notes")[0].id]


async def test_a_second_deal_within_the_searchs_lag_hangs_on_the_firsts_contact(
    world: World,
) -> None:
    rules = Rules(repeat=Repeat.DEAL)
    first = await world.tell(call_event(), rules)
    await world.tell(call_event("pbx-2"), rules, recent=[ref for ref, _ in first.entities])
    assert world.counts() == {"contacts": 1, "deals": 2}
    assert len(world.hub.account.linked("contacts", first.entities[0][0].id, "deals")) == 2


async def test_two_leads_within_the_searchs_lag_share_their_contact(world: World) -> None:
    rules = Rules(scenario=Scenario.LEAD, repeat=Repeat.DEAL)
    for call_id in ("pbx-1", "pbx-2"):
        await world.tell(call_event(call_id), rules)
    assert world.counts() == {"contacts": 1, "leads": 2, "notes": 2}


@pytest.mark.parametrize("repeat", Repeat)
async def test_a_later_call_finds_the_open_deal_and_a_closed_one_is_no_hindrance(
    world: World, repeat: Repeat
) -> None:
    rules = Rules(repeat=repeat)
    await world.tell(call_event(), rules)
    world.hub.account.pass_time(10)
    await world.tell(call_event("pbx-2"), rules)
    assert world.counts().get("notes", 0) == (repeat is Repeat.NOTE)
    for deal in world.all("deals"):
        world.hub.account.change("deals", deal, {"dealstage": "closedwon"})
    before = len(world.all("deals"))
    await world.tell(call_event("pbx-3"), rules)
    assert len(world.all("deals")) == before + 1
    assert len(world.all("contacts")) == 1


async def test_of_two_contacts_with_one_phone_the_older_gets_the_deal(world: World) -> None:
    older = world.put("contacts", {"phone": CALLER, "firstname": "older"})
    world.hub.account.pass_time(5)
    world.put("contacts", {"mobilephone": CALLER})
    world.hub.account.pass_time(10)
    await world.tell(call_event())
    assert world.counts() == {"contacts": 2, "deals": 1}
    assert world.hub.account.linked("deals", world.all("deals")[0].id, "contacts") == [older.id]


@pytest.mark.parametrize(
    "written",
    [
        "+79123456789",
        "89123456789",
        "79123456789",
        "9123456789",
        "8 (912) 345-67-89",
        "+7 912 345 67 89",
        "8-912-345-67-89 доб. 12",
    ],
)
async def test_a_contact_is_found_however_its_phone_is_written(world: World, written: str) -> None:
    there = world.put("contacts", {"phone": written})
    world.hub.account.pass_time(10)
    assert [contact.ref.id for contact in await world.adapter().contacts(CALLER)] == [there.id]


async def test_a_number_that_only_ends_alike_is_another_person(world: World) -> None:
    world.put("contacts", {"phone": "+7 995 123-45-67"})
    same = world.put("contacts", {"mobilephone": "+372 5123 4567"})
    world.hub.account.pass_time(10)
    assert [contact.ref.id for contact in await world.adapter().contacts("+37251234567")] == [
        same.id
    ]


async def test_killed_after_any_request_a_repeat_call_is_one_note(world: World) -> None:
    for requests in range(1, 100):
        world.empty()
        contact = world.put("contacts", {"phone": CALLER})
        world.put("deals", {"dealname": "open"}, ("contacts", contact.id))
        world.hub.account.pass_time(10)
        try:
            await world.tell(call_event(), dies_after=requests)
        except Died:
            await world.tell(call_event())
            assert world.counts() == {"contacts": 1, "deals": 1, "notes": 1}, requests
        else:
            break
    assert requests > 5


async def test_hidden_numbers_are_never_one_person(world: World) -> None:
    for call_id in ("pbx-1", "pbx-2"):
        await world.tell(call_event(call_id, None))
        world.hub.account.pass_time(10)
    assert world.counts() == {"contacts": 2, "deals": 2}
    assert not any("phone" in contact.properties for contact in world.all("contacts"))


async def test_a_note_is_added_once_a_call_and_its_words_are_no_markup(world: World) -> None:
    contact = world.put("contacts", {"phone": CALLER})
    crm, ref = world.adapter(), Ref(kind=EntityKind.CONTACT, id=contact.id)
    for _ in range(2):
        await crm.note(ref, "campaign <script>alert(1)</script>\nsecond line", "pbx-1")
    await crm.note(ref, "another", "pbx-11")
    assert sorted("script" in note.properties["hs_note_body"] for note in world.all("notes")) == [
        False,
        True,
    ]
    assert not any("<script" in note.properties["hs_note_body"] for note in world.all("notes"))


async def test_a_missed_call_of_a_stranger_can_be_left_out(world: World) -> None:
    done = await world.tell(call_event(answered=False), Rules(missed=Missed.NOTE))
    assert str(done.said).startswith("nothing")
    assert world.counts() == {}
