"""The company's own telephony enters calls in Tryton, and we only write the client ID: with a real
Tryton.

The telephony is another user of that Tryton. It creates at once, late, twice or never, or writes
when we do; in every test each party and each opportunity must have been created by it, and none by
us.
"""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from router.domain.delivery.connection import Overwrite, Rules
from router.domain.delivery.entity import CreatedBy, EntityKind, Ref
from router.service.delivery.outcomes import NeedsReview, NotYet
from tests.integration.tryton_world import World, moved
from tests.support.crm_calls import CLIENT_ID
from tests.support.tryton_template import FIELD

pytest_plugins = ["tests.integration.tryton_world"]

SETTLED = 11.0  # seconds after the call, when a second entity is waited for no longer
THEIRS = "987654321.1600000000"


@pytest_asyncio.fixture
async def world(tryton_world: World) -> AsyncIterator[World]:
    """The world, in which we must not create anything."""
    yield tryton_world
    (telephony,) = tryton_world.telephony.find("res.user", [["login", "=", "telephony"]], "id")
    assert {row["create_uid"] for row in tryton_world.parties + tryton_world.opportunities} <= {
        telephony["id"]
    }
    assert tryton_world.notes == []


def enter(world: World, *phones: str) -> int:
    """The telephony enters a call: a party and its deal, whose number comes back."""
    return world.telephony.opportunity(
        world.telephony.party("Caller", *(phones or (world.caller,)))
    )


def ref(opportunity: int, kind: EntityKind = EntityKind.DEAL) -> Ref:
    return Ref(kind=kind, id=str(opportunity))


async def test_what_the_telephony_entered_at_once_gets_the_client_id(world: World) -> None:
    deal = enter(world)

    done = await world.look(world.call(), SETTLED)

    assert done.entities == ((ref(deal), CreatedBy.TELEPHONY),)
    assert world.telephony.client_id(deal) == CLIENT_ID
    assert len(world.opportunities) == 1


async def test_nothing_but_the_client_id_is_changed(world: World) -> None:
    enter(world)
    before = world.opportunities + world.parties

    await world.look(world.call(), SETTLED)

    after = world.opportunities + world.parties
    assert [{**row, FIELD: None} for row in after] == before


@pytest.mark.parametrize(
    "spelling", ["8 ({0}) {1}-{2}-{3}", "7{0}{1}{2}{3}", "{0}{1}{2}{3}", "+7{0}{1}{2}{3} ext. 5"]
)
async def test_the_telephony_may_spell_the_phone_as_it_likes(world: World, spelling: str) -> None:
    digits = world.caller[2:]
    deal = enter(world, spelling.format(digits[:3], digits[3:6], digits[6:8], digits[8:]))

    await world.look(world.call(), SETTLED)

    assert world.telephony.client_id(deal) == CLIENT_ID


async def test_a_lead_that_only_names_the_phone_is_found_too(world: World) -> None:
    digits = world.caller[2:]
    named = f"Missed call from 8 ({digits[:3]}) {digits[3:6]}-{digits[6:8]}-{digits[8:]}"
    lead = world.telephony.opportunity(None, named)

    # a deal is preferred, and waited for a minute
    done = await world.look(world.call(), after=61.0)

    assert done.entities == ((ref(lead, EntityKind.LEAD), CreatedBy.TELEPHONY),)
    assert world.telephony.client_id(lead) == CLIENT_ID


async def test_nothing_is_decided_before_a_second_entity_could_have_appeared(world: World) -> None:
    deal = enter(world)

    with pytest.raises(NotYet):
        await world.look(world.call(), after=9.0)

    assert world.telephony.client_id(deal) is None


async def test_what_the_telephony_enters_late_is_waited_for(world: World) -> None:
    entered_after = 600.0
    call = moved(world.call(), -timedelta(seconds=entered_after))
    with pytest.raises(NotYet) as told:
        await world.look(call, SETTLED)
    assert 0 < told.value.pause.total_seconds() <= 60

    deal = enter(world)
    await world.look(call, entered_after + 1)

    assert world.telephony.client_id(deal) == CLIENT_ID


async def test_what_the_telephony_never_enters_is_listed_for_a_person(world: World) -> None:
    call = world.call()
    with pytest.raises(NotYet):
        await world.look(call, after=899.0)

    with pytest.raises(NeedsReview) as listed:
        await world.look(call, after=901.0)

    assert listed.value.candidates == ()
    assert world.held == (0, 0, 0)


async def test_of_two_deals_neither_is_written_until_a_person_chooses(world: World) -> None:
    call, deals = world.call(), [enter(world), enter(world)]

    with pytest.raises(NeedsReview) as listed:
        await world.look(call, SETTLED)

    assert {candidate.ref for candidate in listed.value.candidates} == {ref(deal) for deal in deals}
    assert [world.telephony.client_id(deal) for deal in deals] == [None, None]

    done = await world.look(call, 3600.0, chosen=ref(deals[1]))

    assert done.entities == ((ref(deals[1]), CreatedBy.PERSON),)
    assert [world.telephony.client_id(deal) for deal in deals] == [None, CLIENT_ID]


async def test_a_closed_deal_is_no_rival_of_an_open_one(world: World) -> None:
    lost, deal = enter(world), enter(world)
    world.telephony.press("sale.opportunity", lost, "lost")

    await world.look(world.call(), SETTLED)

    assert world.telephony.client_id(deal) == CLIENT_ID
    assert world.telephony.client_id(lost) is None


async def test_deals_of_earlier_calls_and_of_other_callers_are_left_alone(world: World) -> None:
    earlier_deal = enter(world)
    others = enter(world, "+74951234567")
    call = moved(world.call(), timedelta(hours=1))

    with pytest.raises(NotYet):
        await world.look(call, SETTLED)

    assert [world.telephony.client_id(deal) for deal in (earlier_deal, others)] == [None, None]


async def test_a_contact_is_written_only_after_a_deal_was_waited_for(world: World) -> None:
    party = world.telephony.party("Caller", world.caller)
    call = world.call()

    with pytest.raises(NotYet):
        await world.look(call, after=59.0)
    done = await world.look(call, after=61.0)

    assert done.entities == ((ref(party, EntityKind.CONTACT), CreatedBy.TELEPHONY),)
    assert [row[FIELD] for row in world.parties] == [CLIENT_ID]


async def test_a_hidden_caller_is_waited_for_in_vain(world: World) -> None:
    enter(world)

    with pytest.raises(NeedsReview):
        await world.look(world.call(caller=None), after=901.0)


async def test_a_call_without_a_client_id_asks_nothing_of_tryton(world: World) -> None:
    deal = enter(world)
    call = world.call(facts={"page": "http://pages/calls/1"})

    done = await world.look(call, SETTLED)

    assert done.entities == ()
    assert world.telephony.client_id(deal) is None


async def test_looking_again_changes_nothing(world: World) -> None:
    call, deal = world.call(), enter(world)
    await world.look(call, SETTLED)
    (before,) = world.telephony.find("sale.opportunity", [["id", "=", deal]], "write_date")

    await world.look(call, 60.0)

    assert world.telephony.find("sale.opportunity", [["id", "=", deal]], "write_date") == [before]


# Another user writes, too


@pytest.mark.parametrize(
    ("rule", "stands"), [(Overwrite.NEVER, THEIRS), (Overwrite.ALWAYS, CLIENT_ID)]
)
async def test_a_client_id_that_another_wrote_stays_unless_the_rule_says_otherwise(
    world: World, rule: Overwrite, stands: str
) -> None:
    deal = enter(world)
    world.telephony.write("sale.opportunity", deal, **{FIELD: THEIRS})

    await world.look(world.call(), SETTLED, Rules(overwrite=rule))

    assert world.telephony.client_id(deal) == stands


async def test_a_client_id_that_is_written_between_finding_the_deal_and_reading_it_stays(
    world: World,
) -> None:
    deal = enter(world)

    def write() -> None:
        world.telephony.write("sale.opportunity", deal, **{FIELD: THEIRS})

    http = world.meanwhile(write, after="sale.opportunity")
    done = await world.look(world.call(), SETTLED, http=http)

    assert http.acted
    assert world.telephony.client_id(deal) == THEIRS
    assert THEIRS in str(done.said)


async def test_other_fields_that_are_written_between_our_look_and_our_write_stay(
    world: World,
) -> None:
    deal = enter(world)

    def write() -> None:
        world.telephony.write("sale.opportunity", deal, description="Wants a boat")

    http = world.meanwhile(write, after=f"sale.opportunity/{deal}")
    await world.look(world.call(), SETTLED, http=http)

    assert http.acted
    assert [(row["description"], row[FIELD]) for row in world.opportunities] == [
        ("Wants a boat", CLIENT_ID)
    ]
