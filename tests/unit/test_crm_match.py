"""Which of another system's entities is the call's: waited for, found, or left to a person, and
never guessed.
"""

from datetime import datetime, timedelta

import pytest

from router.domain.delivery.connection import Rules
from router.domain.delivery.crm_match import Match, match, window
from router.domain.delivery.entity import EntityKind, Found
from tests.support.builders import NOON, later
from tests.support.crm_calls import call_event, found

RULES = Rules(before=60, settle=10, prefer=60, wait=900)
CONTACT, LEAD, DEAL = EntityKind.CONTACT, EntityKind.LEAD, EntityKind.DEAL


def decide(
    *candidates: Found, after: float = 100, rules: Rules = RULES, **neighbours: datetime
) -> Match:
    """`after` seconds after the call's end; `neighbours` are the same phone's calls before and
    after.
    """
    within = window(call_event(), rules, **neighbours)
    return match(
        candidates, call_event(), rules, call_event().ended_at + timedelta(seconds=after), within
    )


def test_the_one_entity_of_the_caller_in_the_time_of_the_call_is_it() -> None:
    entity = found(at=later(5))
    assert decide(entity) == Match(one=entity)


def test_nothing_is_decided_before_others_could_have_appeared() -> None:
    assert decide(found(), after=9).wait
    assert decide(found(), after=10).one == found()


def test_nothing_yet_is_waited_for_until_the_end_of_patience() -> None:
    assert decide(after=899) == Match(wait=True)
    assert decide(after=900) == Match()


def test_two_that_nothing_tells_apart_are_left_to_a_person() -> None:
    both = found(id="1", at=later(3)), found(id="2", at=later(4))
    assert decide(*both).several == both
    assert decide(*both).one is None


def test_one_entity_sent_twice_is_one() -> None:
    assert decide(found(), found()).one == found()


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (found(id="2", phones=(), exact=True), found(id="1")),
        (found(DEAL, "2"), found(LEAD, "1")),
        (found(LEAD, "2"), found(CONTACT, "1")),
        (found(id="2", open=True), found(id="1", open=False)),
        (found(id="2", at=later(1)), found(id="1", at=later(-20))),
    ],
    ids=[
        "the CRM's own link",
        "a deal before a lead",
        "a lead before a contact",
        "open before closed",
        "in the call",
    ],
)
def test_what_tells_two_apart(better: Found, worse: Found) -> None:
    assert decide(worse, better).one == better


def test_a_contact_is_taken_only_when_no_deal_has_followed_it() -> None:
    contact = found(CONTACT)
    assert decide(contact, after=59).wait
    assert decide(contact, after=60).one == contact


@pytest.mark.parametrize(
    "stranger",
    [
        found(phones=("+79123456780",)),
        found(phones=("456789",)),
        found(phones=()),
        found(at=later(-61)),
        found(at=later(60 + 901)),
        found(ours=True),
        Found(ref=found().ref, phones=("+79123456789",)),
    ],
    ids=["another phone", "too few digits", "no phone", "before", "long after", "ours", "no time"],
)
def test_what_cannot_be_the_calls(stranger: Found) -> None:
    assert decide(stranger).wait


@pytest.mark.parametrize(
    "spelling",
    [
        "+7 912 345-67-89",
        "8 (912) 345-67-89",
        "79123456789",
        "9123456789",
        "8-912-345-67-89 доб. 12",
    ],
)
def test_a_phone_is_the_same_however_it_is_written(spelling: str) -> None:
    assert decide(found(phones=("+74950000000", spelling))).one is not None


def test_a_hidden_number_is_nobodys_phone_but_the_crms_own_link_holds() -> None:
    hidden = call_event(caller=None)
    late = hidden.ended_at + timedelta(seconds=100)
    assert match([found(phones=("", "anonymous"))], hidden, RULES, late).wait
    assert match([found(exact=True)], hidden, RULES, late).one == found(exact=True)


def test_the_rules_say_which_kinds_are_wanted() -> None:
    rules = Rules(targets=(CONTACT,), prefer=0)
    assert decide(found(DEAL, "1"), found(CONTACT, "2"), rules=rules).one == found(CONTACT, "2")
    company = found(EntityKind.COMPANY)
    assert decide(company).one == company
    assert decide(company, rules=rules).wait


def test_the_edges_of_the_window_belong_to_it() -> None:
    assert decide(found(at=NOON - timedelta(seconds=60))).one is not None


def test_what_appears_once_the_phone_has_called_again_is_that_calls() -> None:
    mine, later_one = found(id="1", at=later(70)), found(id="2", at=later(130))
    assert decide(mine, later_one).several
    assert decide(mine, later_one, next_at=later(120)).one == mine
    assert decide(later_one, next_at=later(120)) == Match(wait=True)
    assert decide(found(id="3", at=later(130), exact=True), next_at=later(120)).one


def test_what_appeared_before_the_phones_previous_call_had_ended_is_that_calls() -> None:
    earlier, mine = found(id="1", at=later(-30)), found(id="2", at=later(-10))
    assert decide(earlier).one == earlier
    assert decide(earlier, previous_end=later(-20)) == Match(wait=True)
    assert decide(earlier, mine, previous_end=later(-20)).one == mine


def test_within_the_second_in_which_the_phone_called_again_nothing_is_taken() -> None:
    assert decide(found(at=later(120)), next_at=later(120.9)) == Match(wait=True)
    assert decide(found(at=later(119)), next_at=later(120.9)).one
