"""What each CRM must do alike, on its contract server."""

import pytest

from router.domain.delivery.connection import (
    SCENARIO_KINDS,
    Connection,
    Mode,
    Overwrite,
    Repeat,
    Scenario,
)
from router.domain.delivery.entity import CreatedBy, EntityKind, Ref
from router.service.delivery.outcomes import (
    EntityGone,
    NeedsReview,
    NotYet,
)
from tests.integration.crm_accounts import CrmAccount, Died
from tests.integration.test_taken_back import boris, expect_taken_back, kept_of
from tests.support.builders import later
from tests.support.crm_calls import ANNA, CLIENT_ID, call_event

pytest_plugins = ["tests.integration.every_crm"]
CONTACT, COMPANY = EntityKind.CONTACT, EntityKind.COMPANY
LEAD, DEAL = EntityKind.LEAD, EntityKind.DEAL
# how people write +7 912 345 67 89
WRITTEN = (
    *("+7{}{}{}{}", "8{}{}{}{}", "7{}{}{}{}", "{}{}{}{}", "+7 ({}) {}-{}-{}", "8 {} {} {} {}"),
    *("8 ({}) {}-{}-{}", "8-{}-{}-{}-{}", "+7 {} {}{}{}", "tel. +7 ({}) {}-{}-{}"),
)


@pytest.mark.parametrize("scenario", Scenario)
async def test_a_new_caller_becomes_what_the_scenario_says_with_the_client_id_on_each(
    crm: CrmAccount, scenario: Scenario
) -> None:
    done = await crm.tell(call_event(), crm.connection(scenario=scenario))
    made = {ref.kind: ref for ref, _ in done.entities}
    assert [ref.kind for ref, _ in done.entities] == list(SCENARIO_KINDS[scenario])
    assert {created_by for _, created_by in done.entities} == {CreatedBy.US}
    assert {crm.client_id(ref) for ref in made.values()} == {CLIENT_ID}
    last = made.get(DEAL) or made[LEAD]
    assert set(made.values()) - {last} <= crm.linked(last)


@pytest.mark.parametrize("scenario", Scenario)
async def test_a_process_that_dies_after_any_request_that_writes_leaves_each_entity_once(
    crm: CrmAccount, scenario: Scenario
) -> None:
    to = crm.connection(scenario=scenario)
    for place in await requests_that_write(crm, to):
        call = call_event(f"call-{place}", caller=f"+7912{place:07}")
        counts = {kind: crm.count(kind) for kind in EntityKind}
        crm.line.left = place
        with pytest.raises(Died):
            await crm.tell(call, to)
        crm.line.left = 0
        done = await crm.tell(call, to)
        new = {kind: crm.count(kind) - counts[kind] for kind in EntityKind}
        assert max(new.values()) == 1, f"after {place} requests"
        made = [ref for ref, created_by in done.entities if created_by is CreatedBy.US]
        assert [ref.kind for ref in made] == list(SCENARIO_KINDS[scenario])
        assert {crm.client_id(ref) for ref in made} == {CLIENT_ID}
        texts = crm.texts(next(ref for ref in made if ref.kind in {DEAL, LEAD}))
        assert sum(f"/calls/{call.id}" in text for text in texts) == 1, f"after {place} requests"


async def requests_that_write(crm: CrmAccount, to: Connection) -> list[int]:
    """The places of those in one call that create something, counted from 1."""
    sizes = [crm.size()]
    crm.line.after = lambda: sizes.append(crm.size())
    await crm.tell(call_event("call-0", caller="+79120000000"), to)
    crm.line.after = lambda: None
    places = [place for place in range(1, len(sizes)) if sizes[place] > sizes[place - 1]]
    assert len(places) >= len(SCENARIO_KINDS[to.rules.scenario])
    return places


async def test_a_known_caller_is_found_however_the_phone_is_written(crm: CrmAccount) -> None:
    people = dict[Ref, str]()
    for place, written in enumerate(WRITTEN):
        parts = ("912", f"34{place}", "67", "89")
        people[crm.add(CONTACT, phone=written.format(*parts))] = "+7" + "".join(parts)
    for contact, caller in people.items():
        done = await crm.tell(call_event(f"call-{caller}", caller=caller))
        assert crm.count(CONTACT) == len(people), caller
        (deal,) = (ref for ref, created_by in done.entities if created_by is CreatedBy.US)
        assert crm.linked(deal) == {contact}
        assert crm.client_id(contact) == CLIENT_ID


async def test_a_longer_number_that_contains_this_one_is_another_person(crm: CrmAccount) -> None:
    crm.add(CONTACT, phone="91234567890")
    await crm.tell(call_event())
    assert crm.count(CONTACT) == 2


async def test_a_hidden_number_becomes_a_contact_each_time(crm: CrmAccount) -> None:
    for name in ("call-1", "call-2"):
        await crm.tell(call_event(name, caller=None))
    assert (crm.count(CONTACT), crm.count(DEAL)) == (2, 2)


async def test_a_repeat_call_is_one_note_on_the_open_deal_and_fills_its_field(
    crm: CrmAccount,
) -> None:
    anna = crm.add(CONTACT, phone=ANNA, client_id="typed.by.hand")
    deal = crm.add(DEAL, contact=anna)
    for _ in range(2):
        done = await crm.tell(call_event())
    assert (crm.count(CONTACT), crm.count(DEAL)) == (1, 1)
    assert (deal, CreatedBy.NOTE) in done.entities
    assert len(crm.notes(deal)) == 1
    assert (crm.client_id(deal), crm.client_id(anna)) == (CLIENT_ID, "typed.by.hand")


async def test_a_closed_deal_is_followed_by_a_new_one(crm: CrmAccount) -> None:
    crm.add(DEAL, contact=crm.add(CONTACT, phone=ANNA), closed=True)
    await crm.tell(call_event())
    assert (crm.count(CONTACT), crm.count(DEAL)) == (1, 2)


async def test_by_rule_a_repeat_call_is_a_second_deal(crm: CrmAccount) -> None:
    crm.add(DEAL, contact=crm.add(CONTACT, phone=ANNA))
    await crm.tell(call_event(), crm.connection(repeat=Repeat.DEAL))
    assert crm.count(DEAL) == 2


# Existing telephony


async def test_what_the_telephony_created_gets_the_client_id(crm: CrmAccount) -> None:
    crm.clock.now = later(5)
    deal = crm.add(DEAL, contact=crm.add(CONTACT, phone=ANNA))
    crm.clock.now = later(160)
    done = await crm.tell(call_event(), crm.connection(mode=Mode.TELEPHONY))
    assert done.entities == ((deal, CreatedBy.TELEPHONY),)
    assert crm.client_id(deal) == CLIENT_ID
    assert (crm.count(CONTACT), crm.count(DEAL)) == (1, 1)


async def test_of_two_new_deals_a_person_chooses(crm: CrmAccount) -> None:
    crm.clock.now = later(5)
    anna = crm.add(CONTACT, phone=ANNA)
    deals = {crm.add(DEAL, contact=anna) for _ in range(2)}
    with pytest.raises(NeedsReview) as needs_review:
        await crm.tell(call_event(), crm.connection(mode=Mode.TELEPHONY))
    assert {candidate.ref for candidate in needs_review.value.candidates} == deals
    chosen = max(deals, key=lambda ref: ref.id)
    await crm.tell(call_event(), crm.connection(mode=Mode.TELEPHONY), chosen=chosen)
    assert crm.client_id(chosen) == CLIENT_ID


async def test_an_older_deal_is_not_the_calls(crm: CrmAccount) -> None:
    crm.clock.now = later(-7200)
    crm.add(DEAL, contact=crm.add(CONTACT, phone=ANNA))
    crm.clock.now = later(160)
    with pytest.raises(NotYet):
        await crm.tell(call_event(), crm.connection(mode=Mode.TELEPHONY))


@pytest.mark.parametrize(
    ("overwrite", "left"), [(Overwrite.NEVER, "7.7"), (Overwrite.ALWAYS, CLIENT_ID)]
)
async def test_another_client_id_stays_unless_a_rule_says_otherwise(
    crm: CrmAccount, overwrite: Overwrite, left: str
) -> None:
    crm.clock.now = later(5)
    deal = crm.add(DEAL, contact=crm.add(CONTACT, phone=ANNA), client_id="7.7")
    await crm.tell(call_event(), crm.connection(mode=Mode.TELEPHONY, overwrite=overwrite))
    assert crm.client_id(deal) == left


async def test_a_created_lead_is_found_where_leads_are_wanted(crm: CrmAccount) -> None:
    crm.clock.now = later(5)
    lead = crm.add(LEAD, contact=crm.add(CONTACT, phone=ANNA), phone=ANNA)
    await crm.tell(call_event(), crm.connection(mode=Mode.TELEPHONY, targets=(LEAD,)))
    assert crm.client_id(lead) == CLIENT_ID


# What changes later


@pytest.mark.parametrize("mode", Mode)
async def test_a_client_id_is_taken_back(crm: CrmAccount, mode: Mode) -> None:
    if mode is Mode.TELEPHONY:
        crm.clock.now = later(5)
        crm.add(DEAL, contact=crm.add(CONTACT, phone=ANNA))
    to = crm.connection(mode=mode)
    await expect_taken_back(crm.crm(to), to, call_event())


async def test_a_call_of_another_visitor_changes_what_we_created(crm: CrmAccount) -> None:
    call = call_event()
    kept = kept_of(await crm.tell(call), call)
    await crm.tell(boris(call), kept=kept, before=[call])
    assert {crm.client_id(entity.ref) for entity in kept} == {"777.888"}


async def test_a_deleted_entity_is_gone_and_the_other_gets_what_is_known(crm: CrmAccount) -> None:
    call = call_event()
    kept = kept_of(await crm.tell(call), call)
    (deal,) = (entity.ref for entity in kept if entity.kind is DEAL)
    (contact,) = (entity.ref for entity in kept if entity.kind is CONTACT)
    crm.delete(deal)
    adapter = crm.crm(crm.connection())
    with pytest.raises(EntityGone):
        await adapter.read(deal, [adapter.client_id_field(DEAL)])
    await crm.tell(boris(call), kept=kept, before=[call])
    assert crm.client_id(contact) == "777.888"
