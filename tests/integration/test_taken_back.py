"""A call is found out to be nobody's: our client ID leaves every CRM again, and what others wrote there stays."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from router.domain.annotation import CallTold
from router.domain.connection import Connection, Mode
from router.domain.entity import Entity
from router.service.annotating import Annotated, annotate
from router.service.crm import Crm
from tests.builders import NOON, later
from tests.crm_calls import CLIENT_ID, told
from tests.integration import bitrix24_world as bitrix24
from tests.integration.amocrm_world import amocrm_world
from tests.integration.bitrix24_world import World as Bitrix24World
from tests.integration.hubspot_world import account as hubspot_account
from tests.integration.retailcrm_world import World as RetailCrmWorld
from tests.integration.tryton_world import World as TrytonWorld

pytest_plugins = [
    "tests.integration.bitrix24_world",
    "tests.integration.retailcrm_world",
    "tests.integration.tryton_world",
]


async def tell(crm: Crm, to: Connection, call: CallTold, kept: Sequence[Entity] = ()) -> Annotated:
    return await annotate(crm, to, call, looks=0, now=call.ended_at + timedelta(seconds=100), kept=kept)


def kept_of(done: Annotated, call: CallTold) -> list[Entity]:
    """What the store keeps of it."""
    who = {"call_id": call.id, "connection_id": "crm", "client_id": done.client_id, "at": NOON}
    return [
        Entity(id=str(at), kind=ref.kind, external_id=ref.id, maker=maker, **who)  # type: ignore[arg-type]
        for at, (ref, maker) in enumerate(done.entities)
    ]


def nobodys(call: CallTold) -> CallTold:
    return replace(call, facts={name: value for name, value in call.facts.items() if name != "client_id"})


async def standing(crm: Crm, kept: Sequence[Entity]) -> list[Mapping[str, str]]:
    return [await crm.read(one.ref, [crm.client_id_field(one.kind)]) for one in kept]


async def expect_taken_back(crm: Crm, to: Connection, call: CallTold) -> None:
    kept = kept_of(await tell(crm, to, call), call)
    assert kept
    assert all(call.client_id in stands.values() for stands in await standing(crm, kept))
    done = await tell(crm, to, nobodys(call), kept)
    assert await standing(crm, kept) == [{}] * len(kept)
    assert done.client_id is None
    assert len(kept_of(done, call)) == len(kept)  # nothing was created or forgotten


async def test_amocrm_is_rid_of_it() -> None:
    async with amocrm_world() as world:
        await world.prepare()
        await expect_taken_back(world.crm(world.connection()), world.connection(), told())


async def test_bitrix24_is_rid_of_it(bitrix24_world: Bitrix24World) -> None:
    await expect_taken_back(bitrix24_world.crm(), bitrix24.OWN, told())


async def test_retailcrm_is_rid_of_it(retailcrm_world: RetailCrmWorld) -> None:
    to = retailcrm_world.connection()
    await expect_taken_back(retailcrm_world.crm(to), to, told())


async def test_hubspot_is_rid_of_it() -> None:
    async with hubspot_account() as world:
        to = replace(bitrix24.OWN, id="hub", kind="hubspot")
        await expect_taken_back(world.adapter(), to, told())


async def test_tryton_is_rid_of_it(tryton_world: TrytonWorld) -> None:
    to = tryton_world.connection()
    await expect_taken_back(tryton_world.crm(to), to, tryton_world.call())


async def test_what_the_telephony_created_loses_our_client_id_and_no_others() -> None:
    async with amocrm_world() as world:
        await world.prepare(mode=Mode.TELEPHONY)
        to = world.connection(mode=Mode.TELEPHONY)
        crm, call = world.crm(to), told()
        lead = await world.rings(at=later(2))
        kept = kept_of(await tell(crm, to, call), call)
        field = crm.client_id_field(kept[0].kind)
        assert world.account.value("leads", lead, field) == CLIENT_ID
        await tell(crm, to, nobodys(call), kept)
        assert world.account.value("leads", lead, field) is None
        await crm.write(kept[0].ref, {field: "7.7"})  # somebody else knows better
        await tell(crm, to, nobodys(call), kept)
        assert world.account.value("leads", lead, field) == "7.7"
