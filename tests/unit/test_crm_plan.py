"""What a call becomes in a CRM of our filling: by scenario, by who calls, and by how the call
went.
"""

from dataclasses import replace

import pytest

from router.domain.delivery.connection import Missed, Repeat, Rules, Scenario
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.crm_plan import Plan, plan, responsible_for
from router.domain.delivery.entity import EntityKind
from router.domain.delivery.outcome import Outcome
from tests.support.builders import later
from tests.support.crm_calls import ANNA, call_event, found

CONTACT, COMPANY, LEAD, DEAL = (
    EntityKind.CONTACT,
    EntityKind.COMPANY,
    EntityKind.LEAD,
    EntityKind.DEAL,
)


@pytest.mark.parametrize(
    ("scenario", "kinds"),
    [
        (Scenario.DEAL, (DEAL,)),
        (Scenario.CONTACT_DEAL, (CONTACT, DEAL)),
        (Scenario.LEAD, (LEAD,)),
        (Scenario.COMPANY_CONTACT_DEAL, (COMPANY, CONTACT, DEAL)),
    ],
)
def test_an_unknown_caller_becomes_what_the_scenario_says(
    scenario: Scenario, kinds: tuple[EntityKind, ...]
) -> None:
    assert plan(call_event(), Rules(scenario=scenario), [], []) == Plan(create=kinds)


def test_a_known_contact_gets_a_deal_and_no_double() -> None:
    contact = found(CONTACT, "7")
    for scenario in (Scenario.CONTACT_DEAL, Scenario.COMPANY_CONTACT_DEAL):
        assert plan(call_event(), Rules(scenario=scenario), [contact], []) == Plan(
            create=(DEAL,), contact=contact.ref
        )


@pytest.mark.parametrize(
    "scenario", [Scenario.DEAL, Scenario.CONTACT_DEAL, Scenario.COMPANY_CONTACT_DEAL]
)
def test_a_known_company_gets_a_deal_and_no_contact_beside_it(scenario: Scenario) -> None:
    company = found(COMPANY, "8")
    decided = plan(call_event(), Rules(scenario=scenario), [company], [])
    assert decided == Plan(create=(DEAL,), company=company.ref)
    assert decided.links == {COMPANY: company.ref}


def test_a_known_contact_and_a_known_company_share_the_deal() -> None:
    contact, company = found(CONTACT, "7"), found(COMPANY, "8")
    assert plan(call_event(), Rules(), [company, contact], []).links == {
        CONTACT: contact.ref,
        COMPANY: company.ref,
    }


def test_a_call_of_a_company_with_an_open_deal_is_an_event_on_it() -> None:
    assert plan(call_event(), Rules(), [found(COMPANY)], [found(DEAL, "5")]) == Plan(
        note_on=found(DEAL, "5").ref
    )
    missed = call_event(answered=False, talk=0)
    assert plan(missed, Rules(missed=Missed.NOTE), [found(COMPANY)], []) == Plan(
        note_on=found(COMPANY).ref
    )


def test_of_two_contacts_with_one_phone_the_older_is_meant() -> None:
    old, young = found(CONTACT, "9", at=later(-900)), found(CONTACT, "2", at=later(-5))
    assert plan(call_event(), Rules(), [young, old], []).contact == old.ref


def test_a_call_during_an_open_deal_is_an_event_on_the_newest() -> None:
    older, newer = found(DEAL, "9", at=later(-900)), found(DEAL, "2", at=later(-5))
    assert plan(call_event(), Rules(), [found(CONTACT)], [newer, older]) == Plan(
        note_on=newer.ref, contact=found(CONTACT).ref
    )


def test_or_a_new_deal_by_rule() -> None:
    decided = plan(call_event(), Rules(repeat=Repeat.DEAL), [found(CONTACT)], [found(DEAL)])
    assert decided == Plan(create=(DEAL,), contact=found(CONTACT).ref)


def test_a_closed_deal_is_no_reason_for_an_event() -> None:
    assert plan(call_event(), Rules(), [found(CONTACT)], [found(DEAL, open=False)]).create == (
        DEAL,
    )


def test_a_missed_call_is_treated_by_its_own_rule() -> None:
    missed = call_event(answered=False, talk=0)
    assert plan(missed, Rules(missed=Missed.CREATE), [], []).create == (CONTACT, DEAL)
    assert (
        plan(missed, Rules(missed=Missed.NOTE), [found(CONTACT)], []).note_on == found(CONTACT).ref
    )
    assert plan(missed, Rules(missed=Missed.NOTE), [], []).create == ()
    assert plan(missed, Rules(missed=Missed.SKIP), [found(CONTACT)], [found(DEAL)]).reason
    assert plan(call_event(), Rules(missed=Missed.SKIP), [], []).create == (CONTACT, DEAL)


def test_spam_and_the_companys_own_phones_become_nothing() -> None:
    assert plan(call_event(talk=2), Rules(shortest_talk=3), [], []) == Plan(
        reason=Outcome.of(CrmCode.CALL_TOO_SHORT, seconds=2)
    )
    assert plan(call_event(talk=3), Rules(shortest_talk=3), [], []).create
    assert plan(call_event(answered=False, talk=0), Rules(shortest_talk=3), [], []).create
    assert plan(call_event(), Rules(ignored=(ANNA,)), [found(CONTACT)], []).reason


@pytest.mark.parametrize(("phone", "user"), [("101", "17"), ("102", "5"), (None, "5")])
def test_who_answered_is_responsible_else_whom_the_destination_belongs_to(
    phone: str | None, user: str
) -> None:
    rules = Rules(responsible={"101": "17", "office": "5"})
    assert responsible_for(call_event(answered_by=phone, destination_id="office"), rules) == user
    assert responsible_for(call_event(answered_by=phone, destination_id="home"), Rules()) is None


def test_a_brief_call_that_was_lost_in_transfer_is_no_spam() -> None:
    brief = call_event(talk_seconds=2.0, answered=True)
    rules = Rules(shortest_talk=5)
    assert "spam by rule" in str(plan(brief, rules, [], []).reason)
    assert plan(replace(brief, lost=True), rules, [], []).create != ()
