"""Bitrix24 beside the company's own telephony: its entity is found and updated, never made or
guessed.
"""

from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from router.domain.delivery.connection import Overwrite, Rules
from router.domain.delivery.entity import CreatedBy, EntityKind, Ref
from router.service.delivery.outcomes import NeedsReview, NotYet
from tests.contracts.bitrix24_portal import COMPANY, CONTACT, DEAL, LEAD, NAMES, Problem
from tests.integration.bitrix24_world import FIELD, OWN, TELEPHONY, World
from tests.support.builders import NOON, later
from tests.support.crm_calls import ANNA, CLIENT_ID, call_event

pytest_plugins = ["tests.integration.bitrix24_world"]


@pytest.fixture
def world(bitrix24_world: World) -> World:
    return bitrix24_world


async def test_the_calls_record_names_the_lead(world: World) -> None:
    call = world.portal.register("89123456789", at=later(2))
    with pytest.raises(NotYet):
        await world.tell(TELEPHONY, after=75)  # leads are not the first wish
    world.portal.finish(call["CALL_ID"], 50)

    done = await world.tell(TELEPHONY, after=125, looks=4)

    lead = world.all(LEAD)[0]
    assert lead[FIELD] == CLIENT_ID
    assert done.entities == ((Ref(kind=EntityKind.LEAD, id=str(lead["id"])), CreatedBy.TELEPHONY),)
    assert not world.all(DEAL)
    assert not world.all(CONTACT)


async def test_the_calls_record_decides_between_two_of_one_phone(world: World) -> None:
    """Two deals of the phone appeared in the call; the telephony's activity is on one of
    them.
    """
    contact = world.person()
    right, wrong = (
        world.portal.add(DEAL, {"title": "Call", "contactId": contact}, at=later(5))
        for _ in range(2)
    )
    with pytest.raises(NeedsReview, match="match equally well"):
        await world.tell(TELEPHONY)

    world.portal.finish(world.portal.register(ANNA, at=later(1))["CALL_ID"], 50, deals=[right])
    await world.tell(TELEPHONY)

    assert world.portal.get(DEAL, right)[FIELD] == CLIENT_ID
    assert FIELD not in world.portal.get(DEAL, wrong)


async def test_a_robots_deal_for_the_calls_contact_is_the_calls(world: World) -> None:
    world.portal.with_leads = False
    call = world.portal.finish(world.portal.register(ANNA, at=later(1))["CALL_ID"], 50)
    contact = int(call["CRM_ENTITY_ID"])
    with pytest.raises(NotYet):
        await world.tell(TELEPHONY)

    deal = world.portal.add(DEAL, {"title": "By a robot", "contactId": contact}, at=later(80))
    await world.tell(TELEPHONY, after=90, looks=1)

    assert world.portal.get(DEAL, deal)[FIELD] == CLIENT_ID
    assert FIELD not in world.portal.get(CONTACT, contact)


async def test_a_lead_at_ring_and_the_deal_that_it_became(world: World) -> None:
    call = world.portal.finish(world.portal.register(ANNA, at=later(1))["CALL_ID"], 50)
    deal = world.portal.add(
        DEAL, {"title": "By a robot", "leadId": int(call["CRM_ENTITY_ID"])}, at=later(70)
    )

    await world.tell(TELEPHONY)

    assert world.portal.get(DEAL, deal)[FIELD] == CLIENT_ID
    assert FIELD not in world.all(LEAD)[0]


async def test_without_the_right_to_statistics_phone_and_moment_decide(world: World) -> None:
    world.portal.finish(world.portal.register(ANNA)["CALL_ID"], 50)
    world.person("8 912 345 67 89", at=NOON - timedelta(days=2))

    for lack in ("right", "scope"):
        world.portal.sees_statistics = lack != "right"
        world.portal.scopes = {"crm"} if lack == "scope" else {"crm", "telephony"}
        world.all(LEAD)[0].pop(FIELD, None)

        await world.tell(TELEPHONY, after=125)

        assert world.all(LEAD)[0][FIELD] == CLIENT_ID


async def test_the_record_of_an_earlier_call_is_not_this_calls(world: World) -> None:
    lead = world.person(kind=LEAD, at=NOON - timedelta(hours=1))
    world.portal.finish(world.portal.register(ANNA, at=later(-50))["CALL_ID"], 20)

    with pytest.raises(NeedsReview) as raised:
        await world.tell(TELEPHONY, after=60 + 900)

    assert [(candidate.ref.id, candidate.exact) for candidate in raised.value.candidates] == [
        (str(lead), False)
    ]


async def test_the_deal_of_a_person_whom_the_index_confuses_is_not_the_calls(world: World) -> None:
    other = world.person("+79123456780", at=later(5))
    world.portal.add(DEAL, {"title": "Another's", "contactId": other}, at=later(5))
    world.server.nonsense["crm.duplicate.findbycomm"] = {"CONTACT": [other]}

    with pytest.raises(NeedsReview, match="no CRM record appeared"):
        await world.tell(TELEPHONY, after=60 + 900)


async def test_a_telephony_that_is_late_is_waited_for(world: World) -> None:
    for looks, after in enumerate((75, 200, 700)):
        with pytest.raises(NotYet):
            await world.tell(TELEPHONY, after=after, looks=looks)
    deal = world.portal.add(
        DEAL, {"title": "Late", "contactId": world.person(at=later(800))}, at=later(800)
    )

    await world.tell(TELEPHONY, after=810, looks=8)

    assert world.portal.get(DEAL, deal)[FIELD] == CLIENT_ID


async def test_a_telephony_that_registers_twice_has_one_call(world: World) -> None:
    first, second = world.portal.register(ANNA), world.portal.register(ANNA)
    world.portal.finish(first["CALL_ID"], 50)
    with pytest.raises(Problem):
        world.portal.finish(second["CALL_ID"], 50)

    await world.tell(TELEPHONY, after=125)

    assert [lead[FIELD] for lead in world.all(LEAD)] == [CLIENT_ID]


async def test_a_telephony_that_creates_twice_leaves_it_to_a_person(world: World) -> None:
    leads = [world.person(kind=LEAD, at=later(5)) for _ in range(2)]
    with pytest.raises(NeedsReview) as raised:
        await world.tell(TELEPHONY, after=125)
    assert {candidate.ref.id for candidate in raised.value.candidates} == {
        str(lead) for lead in leads
    }
    assert all(FIELD not in lead for lead in world.all(LEAD))

    chosen = Ref(kind=EntityKind.LEAD, id=str(leads[1]))
    await world.tell(TELEPHONY, chosen=chosen)

    assert [lead.get(FIELD) for lead in world.all(LEAD)] == [None, CLIENT_ID]


async def test_a_telephony_that_never_creates_is_listed(world: World) -> None:
    with pytest.raises(NeedsReview, match="no CRM record appeared"):
        await world.tell(TELEPHONY, after=60 + 900)


async def test_a_hidden_number_is_never_matched(world: World) -> None:
    world.portal.finish(world.portal.register("")["CALL_ID"], 50)

    with pytest.raises(NeedsReview, match="no CRM record appeared"):
        await world.tell(TELEPHONY, call=call_event(caller=None), after=60 + 900)


async def test_what_our_own_user_created_is_not_the_telephonys(world: World) -> None:
    await world.tell(OWN)
    world.person(kind=LEAD, by=world.portal.user, at=later(5))

    with pytest.raises(NeedsReview, match=r"within 900 s except lead .* own user created: create"):
        await world.tell(TELEPHONY, after=60 + 900)


async def test_the_check_says_that_the_telephony_is_the_webhooks_own_user(world: World) -> None:
    for by in (1, world.portal.user, world.portal.user):
        world.person(kind=LEAD, by=by, at=later(5))
    await world.tell(OWN)

    bad = [check for check in await world.crm(TELEPHONY).check() if not check.well]

    assert [str(check.what) for check in bad] == ["lead: created by other users"]
    assert "2 of the newest 3 were created by the user that Ringtrace logs in as" in str(bad[0].fix)


async def test_a_call_that_our_user_answered_is_still_the_telephonys(world: World) -> None:
    """The webhook is often the administrator's, who answers calls as well."""
    world.portal.finish(world.portal.register(ANNA, user=world.portal.user)["CALL_ID"], 50)

    await world.tell(TELEPHONY, after=125)

    assert world.all(LEAD)[0][FIELD] == CLIENT_ID


@pytest.mark.parametrize(
    ("rule", "left"), [(Overwrite.NEVER, "999.111"), (Overwrite.ALWAYS, CLIENT_ID)]
)
async def test_what_another_wrote_stays_unless_the_rule_says_otherwise(
    world: World, rule: Overwrite, left: str
) -> None:
    world.person(kind=LEAD, at=later(5))
    world.all(LEAD)[0][FIELD] = "999.111"

    await world.tell(replace(TELEPHONY, rules=Rules(overwrite=rule)), after=125)

    assert world.all(LEAD)[0][FIELD] == left


async def test_a_breakdown_in_annotating_writes_once_and_creates_nothing(world: World) -> None:
    account = replace(TELEPHONY, options={"trace": "on"})
    for requests_before in count(1):
        world.renew(breaks_after=requests_before)
        world.portal.finish(world.portal.register(ANNA)["CALL_ID"], 50)

        broke = await world.tell_until_done(account, after=125)

        assert [lead[FIELD] for lead in world.all(LEAD)] == [CLIENT_ID]
        assert [trace["trace"] for trace in world.portal.traces] == [
            {"client": {"gaId": CLIENT_ID}}
        ]
        assert not world.all(CONTACT) + world.all(DEAL) + world.all(COMPANY)
        assert not world.server.breaches
        if not broke:
            break
    assert requests_before > 4


async def test_a_filter_by_time_is_not_needed(world: World) -> None:
    """Where Bitrix24's own filter by time finds nothing, the robot's deal is still found."""
    world.server.finds_no_time = True
    contact = world.person(at=NOON - timedelta(days=9))
    world.portal.add(DEAL, {"title": "Old", "contactId": contact}, at=NOON - timedelta(days=9))
    world.portal.finish(world.portal.register(ANNA, at=later(1))["CALL_ID"], 50)
    deal = world.portal.add(DEAL, {"title": "By a robot", "contactId": contact}, at=later(70))

    await world.tell(TELEPHONY, after=125)

    assert [item["id"] for item in world.all(DEAL) if FIELD in item] == [deal]
    assert FIELD not in world.portal.get(CONTACT, contact)


@pytest.mark.parametrize("kind", [CONTACT, COMPANY])
async def test_a_repeat_call_that_is_written_on_its_owner_is_the_owners(
    world: World, kind: int
) -> None:
    owner = world.person(kind=kind, at=NOON - timedelta(days=9))
    world.portal.finish(world.portal.register(ANNA, at=later(1))["CALL_ID"], 50)

    await world.tell(TELEPHONY, after=125)

    assert world.portal.get(kind, owner)[FIELD] == CLIENT_ID
    assert not world.all(DEAL) + world.all(LEAD)


@pytest.mark.parametrize("kind", [CONTACT, COMPANY])
async def test_a_repeat_call_that_is_an_activity_alone_is_its_owners(
    world: World, kind: int
) -> None:
    """Some telephonies keep no record of a call, and some records are closed to us."""
    world.portal.sees_statistics = False
    owner = world.person("8 (912) 345-67-89", kind, at=NOON - timedelta(days=9))
    old = world.portal.add(
        DEAL, {"title": "Old", f"{NAMES[kind]}Id": owner}, at=NOON - timedelta(days=9)
    )
    world.portal.log(later(2), (kind, owner))

    await world.tell(TELEPHONY, after=125)

    assert world.portal.get(kind, owner)[FIELD] == CLIENT_ID
    assert FIELD not in world.portal.get(DEAL, old)


async def test_an_activity_on_an_open_deal_is_the_deals(world: World) -> None:
    contact = world.person(at=NOON - timedelta(days=9))
    deals = [
        world.portal.add(DEAL, {"title": "Old", "contactId": contact}, at=NOON - timedelta(days=9))
        for _ in "ab"
    ]
    world.portal.log(later(2), (DEAL, deals[0]), (CONTACT, contact))

    await world.tell(TELEPHONY, after=125)

    assert [FIELD in world.portal.get(DEAL, deal) for deal in deals] == [True, False]


async def test_activities_of_other_times_and_directions_are_not_the_calls(world: World) -> None:
    contact = world.person(at=NOON - timedelta(days=9))
    world.portal.log(later(-3600), (CONTACT, contact))
    world.portal.log(later(2), (CONTACT, contact), direction=2)
    world.portal.log(later(600), (CONTACT, contact))

    with pytest.raises(NeedsReview, match="no CRM record appeared"):
        await world.tell(TELEPHONY, after=60 + 900)
