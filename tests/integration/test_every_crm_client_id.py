"""A client ID that its own field does not take is in each CRM; an administrator learns why."""

import pytest

from router.domain.delivery.connection import Mode, Scenario
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.entity import CreatedBy, EntityKind, Ref
from router.service.delivery.crm_fill import Annotated
from tests.integration.crm_accounts import CrmAccount
from tests.integration.test_taken_back import boris, kept_of
from tests.support.builders import later
from tests.support.crm_calls import ANNA, CLIENT_ID, call_event

pytest_plugins = ["tests.integration.every_crm"]
CONTACT, LEAD, DEAL = EntityKind.CONTACT, EntityKind.LEAD, EntityKind.DEAL
BORIS = "777.888"


def in_texts(crm: CrmAccount, ref: Ref, client_id: str = CLIENT_ID) -> int:
    """How many of its texts have the client ID."""
    return sum(client_id in text for text in crm.texts(ref))


def expect_named(done: Annotated, field: str) -> None:
    """The receipt and the connection's status say which field does not take it."""
    assert done.fault is not None
    assert done.fault.code == CrmCode.CLIENT_ID_FIELD_REFUSES
    assert f"'{field}' of each " in str(done.fault)
    assert f"'{field}' does not take it" in str(done.said)


@pytest.mark.parametrize("scenario", [Scenario.CONTACT_DEAL, Scenario.LEAD])
async def test_a_new_callers_deal_has_it_in_its_text_once(
    crm: CrmAccount, scenario: Scenario
) -> None:
    to = crm.connection(options={"field": crm.list_field}, scenario=scenario)
    for _ in range(2):  # the answer of the first attempt was lost
        done = await crm.tell(call_event(), to)
    (last,) = (ref for ref, _ in done.entities if ref.kind in {DEAL, LEAD})
    assert in_texts(crm, last) == 1
    assert crm.count(last.kind) == 1
    assert last in done.without
    expect_named(done, crm.list_field)


async def test_a_repeat_callers_deal_has_it_in_the_note(crm: CrmAccount) -> None:
    deal = crm.add(DEAL, contact=crm.add(CONTACT, phone=ANNA))
    to = crm.connection(options={"field": crm.list_field})
    for _ in range(2):
        done = await crm.tell(call_event(), to)
    assert (deal, CreatedBy.NOTE) in done.entities
    assert in_texts(crm, deal) == 1
    expect_named(done, crm.list_field)


async def test_what_the_telephony_created_has_it_in_a_note(crm: CrmAccount) -> None:
    crm.clock.now = later(5)
    deal = crm.add(DEAL, contact=crm.add(CONTACT, phone=ANNA))
    to = crm.connection(mode=Mode.TELEPHONY, options={"field": crm.list_field})
    for _ in range(2):
        done = await crm.tell(call_event(), to)
    assert in_texts(crm, deal) == 1
    expect_named(done, crm.list_field)

    await crm.tell(boris(call_event()), to, kept=kept_of(done, call_event()), before=[call_event()])
    assert (in_texts(crm, deal), in_texts(crm, deal, BORIS)) == (1, 1)


@pytest.mark.parametrize("mode", Mode)
async def test_a_second_field_has_it_where_the_rules_name_one(crm: CrmAccount, mode: Mode) -> None:
    crm.clock.now = later(5)
    usual = crm.crm(crm.connection()).client_id_field(DEAL)
    if mode is Mode.TELEPHONY:
        crm.add(DEAL, contact=crm.add(CONTACT, phone=ANNA))
    to = crm.connection(mode=mode, options={"field": crm.list_field}, fields={"client_id": usual})
    done = await crm.tell(call_event(), to)
    (deal,) = (ref for ref, _ in done.entities if ref.kind is DEAL)
    assert crm.client_id(deal) == CLIENT_ID
    assert f"has the client ID in {usual}" in str(done.said)
    expect_named(done, crm.list_field)
