"""A call is found to have no known visitor: our client ID leaves every CRM again, and what others
wrote there stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.connection import Connection, Mode, Rules
from router.domain.delivery.entity import Entity, EntityKind
from router.service.delivery.crm_fill import Annotated
from router.service.delivery.crm_update import annotate
from router.service.delivery.outcomes import ReceiverUnavailable
from router.service.delivery.ports import Crm
from tests.contracts.bitrix24_portal import CONTACT, DEAL
from tests.integration import bitrix24_world as bitrix24
from tests.integration.amocrm_world import amocrm_world
from tests.integration.bitrix24_world import World as Bitrix24World
from tests.integration.hubspot_world import account as hubspot_account
from tests.integration.retailcrm_world import World as RetailCrmWorld
from tests.integration.tryton_world import World as TrytonWorld
from tests.support.builders import NOON, later
from tests.support.crm_calls import CLIENT_ID, call_event

pytest_plugins = [
    "tests.integration.bitrix24_world",
    "tests.integration.retailcrm_world",
    "tests.integration.tryton_world",
]


async def tell(
    crm: Crm,
    to: Connection,
    call: CallEvent,
    kept: Sequence[Entity] = (),
    before: Sequence[CallEvent] = (),
) -> Annotated:
    now = call.ended_at + timedelta(seconds=100)
    return await annotate(crm, to, call, looks=0, now=now, kept=kept, before=before)


def kept_of(done: Annotated, call: CallEvent) -> list[Entity]:
    """What the store keeps of it."""
    who = {"call_id": call.id, "connection_id": "crm", "at": NOON}
    return [
        Entity(
            id=str(at), kind=ref.kind, external_id=ref.id, created_by=created_by,
            client_id=None if ref in done.without else done.client_id, **who,  # type: ignore[arg-type]
        )
        for at, (ref, created_by) in enumerate(done.entities)
    ]  # fmt: skip


def boris(call: CallEvent, **facts: str) -> CallEvent:
    """The same call, found to be another visitor's."""
    return replace(call, facts={**call.facts, "client_id": "777.888", **facts})


def nobodys(call: CallEvent) -> CallEvent:
    return replace(
        call, facts={name: value for name, value in call.facts.items() if name != "client_id"}
    )


async def standing(crm: Crm, kept: Sequence[Entity]) -> list[Mapping[str, str]]:
    return [await crm.read(entity.ref, [crm.client_id_field(entity.kind)]) for entity in kept]


async def expect_taken_back(crm: Crm, to: Connection, call: CallEvent) -> None:
    kept = kept_of(await tell(crm, to, call), call)
    assert kept
    assert all(call.client_id in stands.values() for stands in await standing(crm, kept))
    done = await tell(crm, to, nobodys(call), kept, [call])
    assert await standing(crm, kept) == [{}] * len(kept)
    assert done.client_id is None
    assert len(kept_of(done, call)) == len(kept)  # nothing was created or forgotten


async def test_amocrm_is_rid_of_it() -> None:
    async with amocrm_world() as world:
        await world.prepare()
        await expect_taken_back(world.crm(world.connection()), world.connection(), call_event())


async def test_bitrix24_is_rid_of_it(bitrix24_world: Bitrix24World) -> None:
    await expect_taken_back(bitrix24_world.crm(), bitrix24.OWN, call_event())


async def test_retailcrm_is_rid_of_it(retailcrm_world: RetailCrmWorld) -> None:
    to = retailcrm_world.connection()
    await expect_taken_back(retailcrm_world.crm(to), to, call_event())


async def test_hubspot_is_rid_of_it() -> None:
    async with hubspot_account() as world:
        to = replace(bitrix24.OWN, id="hub", kind="hubspot")
        await expect_taken_back(world.adapter(), to, call_event())


async def test_tryton_is_rid_of_it(tryton_world: TrytonWorld) -> None:
    to = tryton_world.connection()
    await expect_taken_back(tryton_world.crm(to), to, tryton_world.call())


async def test_what_the_telephony_created_loses_our_client_id_and_no_others() -> None:
    async with amocrm_world() as world:
        await world.prepare(mode=Mode.TELEPHONY)
        to = world.connection(mode=Mode.TELEPHONY)
        crm, call = world.crm(to), call_event()
        lead = await world.rings(at=later(2))
        kept = kept_of(await tell(crm, to, call), call)
        field = crm.client_id_field(kept[0].kind)
        assert world.account.value("leads", lead, field) == CLIENT_ID
        await tell(crm, to, nobodys(call), kept, [call])
        assert world.account.value("leads", lead, field) is None
        await crm.write(kept[0].ref, {field: "7.7"})  # another user knows better
        await tell(crm, to, nobodys(call), kept, [call])
        assert world.account.value("leads", lead, field) == "7.7"


FACTS = Rules(fields={"source": "UF_SOURCE", "campaign": "UF_CAMPAIGN"})


@pytest.fixture
def portal(bitrix24_world: Bitrix24World) -> Bitrix24World:
    """With fields for facts."""
    for fields in bitrix24_world.portal.user_fields.values():
        fields |= {"UF_SOURCE", "UF_CAMPAIGN"}
    return bitrix24_world


def those(world: Bitrix24World, kind: int, *names: str) -> list[tuple[str, ...]]:
    return [tuple(str(row.get(name) or "") for name in names) for row in world.all(kind)]


async def test_what_a_person_typed_into_our_own_deal_stays(portal: Bitrix24World) -> None:
    to, call = replace(bitrix24.OWN, rules=FACTS), call_event()
    crm = portal.crm(to)
    kept = kept_of(await tell(crm, to, call), call)
    (deal,) = (entity.ref for entity in kept if entity.kind is EntityKind.DEAL)
    await crm.write(deal, {"UF_CAMPAIGN": "typed", "UF_SOURCE": "a friend"})
    await tell(crm, to, boris(call, source="yandex"), kept, [call])
    names = (bitrix24.FIELD, "UF_SOURCE", "UF_CAMPAIGN")
    assert those(portal, DEAL, *names) == [("777.888", "a friend", "typed")]
    assert those(portal, CONTACT, *names) == [("777.888", "yandex", "")]


async def test_a_receiver_that_is_sent_the_call_again_gets_the_facts_of_one_visitor_alone(
    portal: Bitrix24World,
) -> None:
    to, call = replace(bitrix24.OWN, mode=Mode.TELEPHONY, rules=FACTS), call_event()
    portal.portal.add(DEAL, {"title": "Call", "contactId": portal.person()}, at=later(2))
    crm = portal.crm(to)
    kept = kept_of(await tell(crm, to, call), call)
    names = (bitrix24.FIELD, "UF_SOURCE", "UF_CAMPAIGN")
    assert those(portal, DEAL, *names) == [(CLIENT_ID, "google", "")]
    second = boris(call, source="yandex", campaign="spring")
    await tell(crm, to, second, kept, [call])
    assert those(portal, DEAL, *names) == [("777.888", "yandex", "spring")]
    await tell(crm, to, nobodys(replace(call, facts={})), kept, [call, second])
    assert those(portal, DEAL, *names) == [("", "", "")]


async def test_a_client_id_that_a_person_wrote_is_kept_and_not_said_to_be_ours(
    portal: Bitrix24World,
) -> None:
    to, call = bitrix24.OWN, call_event()
    crm = portal.crm(to)
    kept = kept_of(await tell(crm, to, call), call)
    (deal,) = (entity.ref for entity in kept if entity.kind is EntityKind.DEAL)
    await crm.write(deal, {bitrix24.FIELD: "9.9"})
    done = await tell(crm, to, boris(call), kept, [call])
    assert {entity.kind: entity.client_id for entity in kept_of(done, call)} == {
        EntityKind.CONTACT: "777.888",
        EntityKind.DEAL: None,
    }
    assert "keeps 9.9, which Ringtrace did not write" in str(done.said)


async def test_an_attempt_cut_off_before_the_call_was_attributed_again_leaves_nothing_wrong(
    portal: Bitrix24World,
) -> None:
    """The contact was made with the client ID of a visitor who did not call; then the line
    broke.
    """
    call = call_event()
    portal.line.left = 4
    with pytest.raises(ReceiverUnavailable):
        await tell(portal.crm(), bitrix24.OWN, call)
    assert those(portal, CONTACT, bitrix24.FIELD) == [(CLIENT_ID,)]
    assert those(portal, DEAL, bitrix24.FIELD) == []
    portal.line.left = 0
    done = await tell(portal.crm(), bitrix24.OWN, boris(call), before=[call])
    assert those(portal, CONTACT, bitrix24.FIELD) == those(portal, DEAL, bitrix24.FIELD)
    assert those(portal, DEAL, bitrix24.FIELD) == [("777.888",)]
    assert done.without == frozenset()
