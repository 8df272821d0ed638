"""A company without CRM telephony keeps its customers in Tryton, and we enter its calls there: with
a real Tryton.
"""

import pytest

from router.domain.delivery.connection import Missed, Repeat, Rules, Scenario
from router.domain.delivery.entity import CreatedBy, EntityKind
from tests.integration.tryton_world import World
from tests.support.crm_calls import CLIENT_ID
from tests.support.tryton_template import FIELD

pytest_plugins = ["tests.integration.tryton_world"]


@pytest.fixture
def world(tryton_world: World) -> World:
    return tryton_world


KINDS = {
    Scenario.LEAD: (0, 1),
    Scenario.DEAL: (0, 1),
    Scenario.CONTACT_DEAL: (1, 1),
    Scenario.COMPANY_CONTACT_DEAL: (2, 1),
}


# What a new caller becomes


@pytest.mark.parametrize("scenario", Scenario)
async def test_a_new_caller_becomes_what_the_scenario_says_with_the_client_id_on_each_entity(
    world: World, scenario: Scenario
) -> None:
    done = await world.tell(world.call(), Rules(scenario=scenario))

    people, deals = KINDS[scenario]
    assert world.held == (people, deals, 0)
    assert [row[FIELD] for row in world.parties + world.opportunities] == [CLIENT_ID] * (
        people + deals
    )
    assert all(
        row["contact_mechanisms"][0]["value_compact"] == world.caller for row in world.parties
    )
    assert len(done.entities) == people + deals
    assert {created_by for _, created_by in done.entities} == {CreatedBy.US}


@pytest.mark.parametrize("scenario", Scenario)
async def test_a_call_sent_a_second_time_changes_nothing(world: World, scenario: Scenario) -> None:
    call = world.call()

    first = await world.tell(call, Rules(scenario=scenario))
    held = world.held
    second = await world.tell(call, Rules(scenario=scenario))

    assert world.held == held
    assert set(second.entities) == set(first.entities)


async def test_a_deal_tells_who_called_whence_and_where_to_hear_it(world: World) -> None:
    call = world.call()

    await world.tell(call)

    (deal,) = world.opportunities
    assert deal["description"] == f"Call {world.caller}"
    assert "google / cpc" in deal["comment"]
    assert call.facts["page"] in deal["comment"]
    assert deal["party"] == world.parties[0]["id"]


async def test_the_deal_belongs_to_the_company_where_the_scenario_makes_one(world: World) -> None:
    done = await world.tell(world.call(), Rules(scenario=Scenario.COMPANY_CONTACT_DEAL))

    (company,) = (ref for ref, _ in done.entities if ref.kind is EntityKind.COMPANY)
    assert str(world.opportunities[0]["party"]) == company.id


async def test_who_answered_is_responsible(world: World) -> None:
    (employee,) = world.telephony.find("company.employee", [["party.name", "=", "Emma"]], "id")

    await world.tell(
        world.call(answered_by="101"),
        Rules(responsible={"office": "999", "101": str(employee["id"])}),
    )

    assert world.opportunities[0]["employee"] == employee["id"]


async def test_a_chosen_fact_goes_into_the_field_of_whichever_entity_has_it(world: World) -> None:
    # parties have no such field
    await world.tell(world.call(), Rules(fields={"source": "lost_reason"}))

    assert world.opportunities[0]["lost_reason"] == "google"
    assert world.held == (1, 1, 0)


async def test_hidden_callers_are_never_taken_for_one_another(world: World) -> None:
    await world.tell(world.call(caller=None))
    await world.tell(world.call(caller=None))

    assert world.held == (2, 2, 0)
    assert all(not row["contact_mechanisms"] for row in world.parties)


# A caller whom Tryton knows

SPELLINGS = {
    "E.164": ("phone", "+7{0}{1}{2}{3}"),
    "+7 with signs": ("mobile", "+7 ({0}) {1}-{2}-{3}"),
    "8 with signs": ("phone", "8 ({0}) {1}-{2}-{3}"),
    "7": ("phone", "7{0}{1}{2}{3}"),
    "ten digits": ("fax", "{0}{1}{2}{3}"),
    "with an extension": ("phone", "+7{0}{1}{2}{3} ext. 12"),
    "as typed, which Tryton leaves alone": ("other", "8-{0}-{1}-{2}-{3} доб. 12"),
}


@pytest.mark.parametrize(("kind", "spelling"), SPELLINGS.values(), ids=SPELLINGS)
async def test_a_contact_is_known_by_its_phone_however_that_is_written(
    world: World, kind: str, spelling: str
) -> None:
    digits = world.caller[2:]
    anna = world.telephony.party(
        "Anna", spelling.format(digits[:3], digits[3:6], digits[6:8], digits[8:]), kind=kind
    )

    await world.tell(world.call())

    assert [row["name"] for row in world.parties] == ["Anna"]
    assert [row["party"] for row in world.opportunities] == [anna]


async def test_a_phone_that_differs_in_one_digit_is_another_persons(world: World) -> None:
    world.telephony.party("Boris", world.caller[:-1] + "8")
    world.telephony.party(
        "Clara", " ".join(f"{digit}0" for digit in world.caller[2:]), kind="other"
    )

    await world.tell(world.call())

    assert [row["name"] for row in world.parties] == ["Boris", "Clara", world.caller]


async def test_of_two_contacts_with_one_phone_the_older_gets_the_deal(world: World) -> None:
    older = world.telephony.party("Zoe", world.caller)
    world.telephony.party("Anna", world.caller)

    await world.tell(world.call())

    assert [row["party"] for row in world.opportunities] == [older]
    assert world.held == (2, 1, 0)


# who sees their own keys alone, and who sees everybody's
@pytest.mark.parametrize("key", ["ringtrace", "admin"])
async def test_what_our_user_made_is_distinguished_from_what_others_made(
    world: World, key: str
) -> None:
    us = world.server.users[key]  # a person or a script with our key, who leaves none of our marks
    mine, others = (user.party("x", world.caller) for user in (us, world.telephony))
    my_deal, other_deal = (user.opportunity(others) for user in (us, world.telephony))
    crm = world.crm(key=key)

    contacts = await crm.contacts(world.caller)
    deals = await crm.deals([contact.ref for contact in contacts], world.caller)

    assert {contact.ref.id: contact.ours for contact in contacts} == {
        str(mine): True,
        str(others): False,
    }
    assert {deal.ref.id: deal.ours for deal in deals} == {
        str(my_deal): True,
        str(other_deal): False,
    }


# Repeat calls


@pytest.mark.parametrize("scenario", Scenario)
async def test_a_repeat_call_is_one_note_on_the_open_deal_or_lead(
    world: World, scenario: Scenario
) -> None:
    rules = Rules(scenario=scenario)
    await world.tell(world.call(), rules)
    held, again = world.held, world.call()

    await world.tell(again, rules)
    await world.tell(again, rules)
    await world.tell(world.call(), rules)

    assert world.held == (*held[:2], 2)
    assert {on for on, _ in world.notes} == {f"sale.opportunity,{world.opportunities[0]['id']}"}
    assert CLIENT_ID in world.notes[0][1]


async def test_a_repeat_call_is_a_new_deal_of_the_same_contact_where_the_rule_says_so(
    world: World,
) -> None:
    rules = Rules(repeat=Repeat.DEAL)

    for call in (world.call(), world.call()):
        await world.tell(call, rules)

    assert world.held == (1, 2, 0)
    assert {row["party"] for row in world.opportunities} == {world.parties[0]["id"]}


async def test_a_call_after_the_deal_was_lost_is_a_new_deal(world: World) -> None:
    await world.tell(world.call())
    world.telephony.press("sale.opportunity", world.opportunities[0]["id"], "lost")

    await world.tell(world.call())

    assert world.held == (1, 2, 0)


# Missed calls


@pytest.mark.parametrize(
    ("missed", "known", "held"),
    [
        (Missed.CREATE, False, (1, 1, 0)),
        (Missed.CREATE, True, (1, 1, 0)),
        (Missed.NOTE, False, (0, 0, 0)),
        (Missed.NOTE, True, (1, 0, 1)),
        (Missed.SKIP, False, (0, 0, 0)),
        (Missed.SKIP, True, (1, 0, 0)),
    ],
)
async def test_a_missed_call_is_entered_by_its_rule(
    world: World, missed: Missed, known: bool, held: tuple[int, int, int]
) -> None:
    if known:
        world.telephony.party("Anna", world.caller)

    await world.tell(world.call(answered=False, talk=0), Rules(missed=missed))

    assert world.held == held


async def test_a_company_that_is_known_by_its_phone_gets_the_event_and_the_deal(
    world: World,
) -> None:
    """Tryton's companies are parties, and so are found as contacts are."""
    rules = Rules(scenario=Scenario.COMPANY_CONTACT_DEAL)
    first = await world.tell(world.call(), rules)
    assert world.held == (2, 1, 0)
    again = await world.tell(world.call(), rules)
    (deal,) = (ref for ref, _ in first.entities if ref.kind is EntityKind.DEAL)
    assert (deal, CreatedBy.NOTE) in again.entities
    assert world.held == (2, 1, 1)
    await world.tell(
        world.call(), Rules(scenario=Scenario.COMPANY_CONTACT_DEAL, repeat=Repeat.DEAL)
    )
    assert world.held == (2, 2, 1)
    assert len({row["party"] for row in world.opportunities}) == 1
