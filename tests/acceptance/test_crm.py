"""A visitor dials, a real phone answers, and a real Tryton has the client ID: where we create, and
where others do.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from router import bootstrap
from router.domain.calls.call import Call
from router.domain.delivery.connection import Connection, Mode, Rules
from router.domain.delivery.delivery import Delivery, DeliveryState
from router.domain.delivery.entity import EntityKind
from router.secrets import keep_token
from tests.acceptance import sip
from tests.acceptance.calling import company_line, dial, somebody, the_call
from tests.acceptance.system import System
from tests.integration.tryton_world import World
from tests.support.tryton_server import TrytonServer
from tests.support.tryton_template import DATABASE, FIELD

pytest_plugins = ["tests.integration.tryton_world"]
pytestmark = pytest.mark.asyncio(loop_scope="module")
CLIENT_ID = "1234567890.1760000000"


@pytest_asyncio.fixture
async def world(tryton: TrytonServer) -> AsyncIterator[World]:
    made = World(tryton)
    yield made
    await made.close()


async def connect(running: System, world: World, mode: Mode, rules: Rules) -> None:
    keep_token(running.settings.home, "books", {"key": world.server.keys["ringtrace"]})
    options = {"database": DATABASE}
    await running.put(
        Connection(
            id="books", kind="tryton", address=world.server.url, mode=mode, rules=rules, options=options,  # noqa: E501
            created_at=bootstrap.now(),
        )
    )  # fmt: skip


async def delivery_of(running: System, call: Call) -> Delivery:
    async def look() -> Delivery | None:
        mine = [
            delivery
            for delivery in await running.deliveries()
            if delivery.call_id == call.id and delivery.receiver_id == "books"
        ]
        return mine[0] if mine and mine[0].state is not DeliveryState.PENDING else None

    return await running.until(look, f"Tryton was not told of {call.id}")


async def test_a_call_becomes_a_contact_and_a_deal_of_the_employee_who_answered(
    running: System, world: World, tmp_path: Path
) -> None:
    (emma,) = world.telephony.find("company.employee", [["party.name", "=", "Emma"]], "id")
    await connect(
        running,
        world,
        Mode.OWN,
        Rules(responsible={"head-office": str(emma["id"]), "office": "999"}),
    )
    lease = await running.lease(CLIENT_ID, source="google", medium="cpc")
    who = somebody(lease.number, talk=1.0)
    async with company_line(running, tmp_path, sip.answers(0.1)):
        await dial(running, tmp_path, who)
    call = await the_call(running, who)
    assert call.answered_by == "head-office"
    assert (await delivery_of(running, call)).state is DeliveryState.DONE
    (contact,), (deal,) = world.parties, world.opportunities
    assert [mechanism["value_compact"] for mechanism in contact["contact_mechanisms"]] == [
        who.number
    ]
    assert contact[FIELD] == deal[FIELD] == CLIENT_ID
    assert (deal["party"], deal["employee"]) == (contact["id"], emma["id"])
    assert "google / cpc" in deal["comment"]


async def test_the_deal_that_the_telephony_made_while_it_rang_gets_the_client_id(
    running: System, world: World, tmp_path: Path
) -> None:
    await connect(
        running, world, Mode.TELEPHONY, Rules(settle=0, prefer=0, targets=(EntityKind.DEAL,))
    )
    lease = await running.lease(CLIENT_ID)
    who = somebody(lease.number, talk=2.0)

    async def telephony() -> int:
        async def rings() -> bool:
            return any(call.caller == who.number for call in await running.calls())

        await running.until(rings, "the call did not come")
        return world.telephony.opportunity(world.telephony.party("Caller", who.number))

    async with company_line(running, tmp_path, sip.answers(1.0)):
        deal, _ = await asyncio.gather(telephony(), dial(running, tmp_path, who))
    call = await the_call(running, who)
    assert (await delivery_of(running, call)).state is DeliveryState.DONE
    assert world.telephony.client_id(deal) == CLIENT_ID
    assert world.held == (1, 1, 0)  # we created nothing


async def test_a_tryton_that_is_away_during_the_call_gets_it_when_it_is_back(
    running: System, world: World, tmp_path: Path
) -> None:
    await connect(running, world, Mode.OWN, Rules())
    async with running.store.read() as session:
        books = await session.get(Connection, "books")
    await running.put(replace(books, address="http://127.0.0.1:9"))
    who = somebody((await running.lease(CLIENT_ID)).number, talk=1.0)
    async with company_line(running, tmp_path, sip.answers(0.1)):
        await dial(running, tmp_path, who)
    call = await the_call(running, who)

    async def failed() -> bool:
        return any(
            delivery.call_id == call.id and delivery.attempts
            for delivery in await running.deliveries()
        )

    await running.until(failed, "nobody tried")
    assert world.held == (0, 0, 0)
    await running.put(books)
    assert (await delivery_of(running, call)).state is DeliveryState.DONE
    assert world.held == (1, 1, 0)
