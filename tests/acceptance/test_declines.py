"""How a call ends that was declined, where another step or another phone failed: the carrier gets
the same answer.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from router.domain.calls.call import Ending
from tests.acceptance.dialplan_world import World, world

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plan() -> AsyncIterator[World]:
    async with world() as made:
        yield made


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def quiet(plan: World) -> None:
    await plan.forget()


@pytest.mark.parametrize(
    ("said", "rang", "ending"),
    [
        ("603 Decline", True, Ending.REFUSED),
        ("603 Decline", False, Ending.REFUSED),
        ("607 Unwanted", True, Ending.REFUSED),
        ("403 Forbidden", True, Ending.REFUSED),
        ("486 Busy Here", True, Ending.BUSY),
        ("486 Busy Here", False, Ending.BUSY),
        ("", True, Ending.NO_ANSWER),
    ],
)
@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
async def test_a_step_after_one_that_is_set_up_wrongly_says_how_the_call_ended(
    plan: World, status: str, said: str, rang: bool, ending: Ending
) -> None:
    patience = 20 if said else 3
    plan.route("PJSIP/first~20", f"PJSIP/second~{patience}")
    calling = asyncio.create_task(plan.call())
    plan.first.reply(await plan.asked(plan.first), status)
    invite = await plan.asked(plan.second)
    if rang:
        plan.second.reply(invite, "180 Ringing")
        await plan.carrier.expect(lambda message: message.status == 180)
    if said:
        plan.second.reply(invite, said)
    await calling
    assert (await plan.ended())[0].ending is ending


async def test_a_phone_that_declines_beside_a_dead_line_has_declined(plan: World) -> None:
    plan.route("PJSIP/first&PJSIP/second~20", "PJSIP/20@second~20")
    calling = asyncio.create_task(plan.call())
    invites = await asyncio.gather(plan.asked(plan.first), plan.asked(plan.second))
    plan.first.reply(invites[0], "503 Service Unavailable")
    plan.second.reply(invites[1], "603 Decline")
    await calling
    assert (await plan.ended())[0].ending is Ending.REFUSED
    assert len(plan.invites(plan.second)) == 1
