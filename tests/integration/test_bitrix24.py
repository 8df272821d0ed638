"""Bitrix24 in both modes, against a server that behaves by its documents."""

from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from router.domain.delivery.connection import SCENARIO_KINDS, Rules, Scenario
from router.domain.delivery.entity import CreatedBy, EntityKind, Ref
from tests.contracts.bitrix24_portal import COMPANY, CONTACT, DEAL, LEAD, TYPES, Problem, as_phone
from tests.integration.bitrix24_world import FIELD, OWN, SHAPES, World
from tests.support.builders import NOON
from tests.support.crm_calls import ANNA, CLIENT_ID, call_event

pytest_plugins = ["tests.integration.bitrix24_world"]


@pytest.fixture
def world(bitrix24_world: World) -> World:
    return bitrix24_world


@pytest.mark.parametrize("scenario", Scenario)
async def test_a_new_caller_becomes_what_the_scenario_says(
    world: World, scenario: Scenario
) -> None:
    rules = Rules(scenario=scenario, responsible={"office": "12"}, fields={"verdict": "utmTerm"})

    done = await world.tell(replace(OWN, rules=rules))

    kinds = [ref.kind for ref, created_by in done.entities if created_by is CreatedBy.US]
    assert kinds == list(SCENARIO_KINDS[scenario])
    made = {kind: world.all(TYPES[kind]) for kind in EntityKind}
    assert {kind: len(items) for kind, items in made.items()} == {
        kind: int(kind in kinds) for kind in EntityKind
    }
    for kind in kinds:
        item = made[kind][0]
        expected = {
            "originatorId": "ringtrace",
            "originId": "rt1-1.0",
            FIELD: CLIENT_ID,
            "assignedById": 12,
        }
        assert expected.items() <= item.items()
        assert {
            "utmSource": "google",
            "utmMedium": "cpc",
            "utmTerm": "exact",
        }.items() <= item.items()
        if kind is not EntityKind.DEAL:
            assert item["fm"] == as_phone(ANNA)
    links = {
        "contactId": made[EntityKind.CONTACT] and made[EntityKind.CONTACT][0]["id"],
        "companyId": made[EntityKind.COMPANY] and made[EntityKind.COMPANY][0]["id"],
    }
    for deal in made[EntityKind.DEAL]:
        assert {name: deal.get(name, []) for name in links} == links


@pytest.mark.parametrize("trace", ["on", "off"])
@pytest.mark.parametrize("scenario", Scenario)
async def test_a_breakdown_after_any_request_leaves_one_of_each(
    world: World, scenario: Scenario, trace: str
) -> None:
    account = replace(OWN, rules=Rules(scenario=scenario), options={"trace": trace})
    kinds = SCENARIO_KINDS[scenario]
    for requests_before in count(1):
        world.renew(breaks_after=requests_before)

        broke = await world.tell_until_done(account)

        for kind in EntityKind:
            items = world.all(TYPES[kind])
            assert [item[FIELD] for item in items] == [CLIENT_ID] * (kind in kinds), requests_before
        assert len(world.portal.traces) == (len(kinds) if trace == "on" else 0)
        assert not world.server.breaches
        if not broke:
            break
    assert requests_before > 2 + 2 * len(kinds)  # it did break at each


async def test_a_breakdown_after_any_request_leaves_one_comment(world: World) -> None:
    for requests_before in count(1):
        world.renew(breaks_after=requests_before)
        deal = world.portal.add(DEAL, {"title": "Boots", "contactId": world.person()})
        world.portal.comments.append(
            {"kind": DEAL, "number": deal, "COMMENT": "Ringtrace rt1-1.01", "ID": "1"}
        )

        broke = await world.tell_until_done()

        assert len(world.portal.comments) == 2
        assert len(world.all(DEAL)) == len(world.all(CONTACT)) == 1
        assert not world.server.breaches
        if not broke:
            break
    assert requests_before > 5


async def test_our_comment_is_found_behind_a_hundred_others(world: World) -> None:
    deal = world.portal.add(DEAL, {"title": "Boots", "contactId": world.person()})
    await world.tell()
    for number in range(100):
        world.portal.comments.append(
            {"kind": DEAL, "number": deal, "COMMENT": "Hello", "ID": str(10_000 + number)}
        )

    await world.tell()

    assert len(world.portal.comments) == 101


async def test_what_a_visitor_brought_along_is_no_link_in_a_comment(world: World) -> None:
    world.portal.add(DEAL, {"title": "Boots", "contactId": world.person()})
    facts = {**call_event().facts, "source": "[url=http://evil]prize[/url]"}

    await world.tell(call=call_event(facts=facts))

    assert "[" not in world.portal.comments[0]["COMMENT"]


@pytest.mark.parametrize("ten", ["9123456789", "8123456789", "8001234567"])
async def test_a_known_caller_is_found_in_any_spelling(world: World, ten: str) -> None:
    for shape in SHAPES:
        world.renew()
        contact = world.person(shape(ten))

        await world.tell(call=call_event(caller=f"+7{ten}"))

        assert len(world.all(CONTACT)) == 1, shape(ten)
        assert [deal["contactId"] for deal in world.all(DEAL)] == [contact]


async def test_what_the_index_of_doubles_confuses_is_distinguished_by_its_digits(
    world: World,
) -> None:
    world.server.nonsense["crm.duplicate.findbycomm"] = {"CONTACT": [world.person("+79123456780")]}

    await world.tell()

    assert len(world.all(CONTACT)) == 2


async def test_of_two_contacts_with_one_phone_the_older_gets_the_deal(world: World) -> None:
    older = world.person("89123456789", at=NOON - timedelta(days=9))
    world.person(at=NOON - timedelta(days=1))

    await world.tell()

    assert [deal["contactId"] for deal in world.all(DEAL)] == [older]


async def test_two_hidden_numbers_are_two_people(world: World) -> None:
    for id in ("a", "b"):  # noqa: A001
        await world.tell(call=call_event(id, caller=None))

    assert [item.get("fm") for item in world.all(CONTACT)] == [None, None]
    assert len(world.all(DEAL)) == 2


@pytest.mark.parametrize("ended", [{"closed": "Y"}, {"stageSemanticId": "F"}])
async def test_a_deal_that_is_closed_makes_room_for_a_new_one(
    world: World, ended: dict[str, str]
) -> None:
    deal = world.portal.add(DEAL, {"title": "Boots", "contactId": world.person()})
    world.portal.get(DEAL, deal).update(ended)

    await world.tell()

    assert len(world.all(DEAL)) == 2


async def test_an_open_deal_is_found_behind_many_closed_ones(world: World) -> None:
    contact = world.person()
    world.portal.add(DEAL, {"title": "Boots", "contactId": contact})
    for _ in range(60):
        world.portal.get(DEAL, world.portal.add(DEAL, {"title": "Old", "contactId": contact}))[
            "closed"
        ] = "Y"

    await world.tell()

    assert len(world.portal.comments) == 1


async def test_an_open_lead_with_the_phone_gets_the_comment(world: World) -> None:
    lead = world.person(kind=LEAD)

    done = await world.tell(replace(OWN, rules=Rules(scenario=Scenario.LEAD)))

    assert done.entities == ((Ref(kind=EntityKind.LEAD, id=str(lead)), CreatedBy.NOTE),)
    assert len(world.all(LEAD)) == 1


async def test_a_field_that_is_not_there_is_noticed(world: World) -> None:
    world.portal.user_fields[DEAL].clear()

    done = await world.tell()
    assert f"'{FIELD}' of each deal does not take the client ID" in str(done.fault)
    (deal,) = world.all(DEAL)
    assert CLIENT_ID in str(deal)


async def test_a_responsible_who_is_no_number_is_left_out_and_named(world: World) -> None:
    done = await world.tell(replace(OWN, rules=Rules(responsible={"office": "Anna"})))
    assert "without responsible" in str(done.said)
    assert done.client_id


async def test_the_visit_goes_into_bitrix24s_own_analytics(world: World) -> None:
    await world.tell(replace(OWN, options={"trace": "on"}))

    deal = world.all(DEAL)[0]["id"]
    told_of = next(
        trace["trace"] for trace in world.portal.traces if trace["entities"] == [(DEAL, deal)]
    )
    assert told_of["client"] == {"gaId": CLIENT_ID}
    assert told_of["tags"]["list"] == {"utm_source": "google", "utm_medium": "cpc"}


async def test_without_the_right_to_trace_the_deal_is_made_all_the_same(world: World) -> None:
    world.server.refused["crm.tracking.trace.add"] = Problem(403, "ACCESS_DENIED", "Access denied")

    await world.tell(replace(OWN, options={"trace": "on"}))

    assert len(world.all(DEAL)) == 1
    assert world.portal.traces == []


async def test_a_company_with_an_open_deal_gets_an_event_and_no_contact(world: World) -> None:
    for shape in SHAPES:
        world.renew()
        firm = world.person(shape("9123456789"), COMPANY)
        deal = world.portal.add(DEAL, {"title": "Windows", "companyId": firm})

        done = await world.tell()

        assert done.entities == ((Ref(kind=EntityKind.DEAL, id=str(deal)), CreatedBy.NOTE),)
        assert (len(world.all(CONTACT)), len(world.all(DEAL))) == (0, 1)


@pytest.mark.parametrize("scenario", [Scenario.CONTACT_DEAL, Scenario.COMPANY_CONTACT_DEAL])
async def test_a_known_company_gets_the_deal(world: World, scenario: Scenario) -> None:
    firm = world.person(ANNA, COMPANY)

    await world.tell(replace(OWN, rules=Rules(scenario=scenario)))

    assert [deal["companyId"] for deal in world.all(DEAL)] == [firm]
    assert (len(world.all(CONTACT)), len(world.all(COMPANY))) == (0, 1)


async def test_a_caller_without_ten_digits_is_known_in_national_spelling(world: World) -> None:
    world.person("8 (029) 123-45-67")

    await world.tell(call=call_event(caller="+375291234567"))

    assert (len(world.all(CONTACT)), len(world.all(DEAL))) == (1, 1)
