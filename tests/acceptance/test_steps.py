"""Steps of a destination: one that was never reached gives way to the next, one that rang does not.

No process of ours runs: the dialplan decides alone.
"""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from router.domain.calls.call import Ending
from tests.acceptance.dialplan_world import NUMBERS, World, rings, world
from tests.acceptance.raw_media import sdp
from tests.support.standstill import Standstill

pytestmark = pytest.mark.asyncio(loop_scope="module")

SLACK = 4.0  # of a machine that is busy with other things
BOTH = "PJSIP/first&PJSIP/20@first"  # two phones behind one address


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plan() -> AsyncIterator[World]:
    async with world() as made:
        yield made


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def quiet(plan: World) -> None:
    await plan.forget()


@pytest.mark.parametrize(
    "first", ["PJSIP/first~2", "PJSIP/first~5", "PJSIP/first~60", f"{BOTH}~30"]
)
async def test_a_step_that_says_nothing_gives_way_within_three_seconds(
    plan: World, first: str
) -> None:
    plan.route(first, "PJSIP/second~20")
    began = asyncio.get_running_loop().time()
    with Standstill() as still:
        calling = asyncio.create_task(plan.call())
        await rings(plan, plan.second, "486 Busy Here")
        waited = asyncio.get_running_loop().time() - began
    assert waited < 3 + SLACK + still.seconds
    answer = (await calling).answer
    assert answer is not None
    assert answer.status == 486
    (call,) = await plan.ended()
    assert (call.ending, [leg.step for leg in call.legs if leg.role == "company"][-1]) == (
        Ending.BUSY,
        2,
    )


async def test_a_step_that_answers_too_late_is_hung_up_and_the_caller_talks_with_the_next(
    plan: World,
) -> None:
    plan.route("PJSIP/first~20", "PJSIP/second~20")
    calling = asyncio.create_task(plan.call())
    silent = await plan.asked(plan.first)
    invite = await plan.asked(plan.second)
    plan.second.reply(invite, "180 Ringing")
    plan.first.reply(silent, "200 OK", body=sdp(await plan.first.new_media()))
    await plan.first.request("BYE")
    second = await plan.second.accept(invite, sdp(await plan.second.new_media()))
    assert (await calling).answer is not None
    await plan.talking("second")
    await second.hang_up()
    (call,) = await plan.ended()
    assert (call.ending, call.answered_by) == (Ending.ANSWERED, "second")


async def test_every_dead_step_gives_way_and_the_caller_gets_the_answer(plan: World) -> None:
    plan.route("PJSIP/first~30", f"{BOTH}~30", "PJSIP/first~2")
    with Standstill() as still:
        answer = (await plan.call()).answer
    assert answer is not None
    assert answer.status == 480
    (call,) = await plan.ended()
    assert call.ending is Ending.UNREACHABLE
    assert call.wait_seconds < 3 + 3 + 2 + SLACK + still.seconds


async def test_a_step_that_rang_and_was_not_answered_is_the_end(plan: World) -> None:
    plan.route("PJSIP/first~4", "PJSIP/second~20")
    ringing = asyncio.create_task(rings(plan, plan.first))
    answer = (await plan.call()).answer
    await ringing
    assert answer is not None
    assert answer.status == 480
    assert plan.invites(plan.second) == []
    (call,) = await plan.ended()
    assert call.ending is Ending.NO_ANSWER
    assert call.wait_seconds > 3.5


@pytest.mark.parametrize("status", ["408 Request Timeout", "487 Request Terminated"])
@pytest.mark.parametrize("rang", [True, False])
async def test_a_step_that_a_proxy_gave_up_was_not_answered_if_it_rang(
    plan: World, status: str, rang: bool
) -> None:
    plan.route("PJSIP/first~20", "PJSIP/second~20")
    calling = asyncio.create_task(plan.call())
    invite = await plan.asked(plan.first)
    if rang:
        plan.first.reply(invite, "180 Ringing")
    plan.first.reply(invite, status)
    if not rang:
        await rings(plan, plan.second, "486 Busy Here")
    await calling
    assert len(plan.invites(plan.second)) == (0 if rang else 1)
    assert (await plan.ended())[0].ending is (Ending.NO_ANSWER if rang else Ending.BUSY)


async def test_one_phone_that_rings_keeps_its_step_while_the_other_is_dead(plan: World) -> None:
    plan.route("PJSIP/first&PJSIP/second~5", "PJSIP/20@second~20")
    ringing = asyncio.create_task(rings(plan, plan.second))
    answer = (await plan.call()).answer
    await ringing
    assert answer is not None
    assert answer.status == 480
    assert len(plan.invites(plan.second)) == 1
    assert (await plan.ended())[0].ending is Ending.NO_ANSWER


async def test_a_network_that_rings_late_gets_its_whole_time(plan: World) -> None:
    """100 Trying at once, 180 after five seconds: a mobile phone behind a carrier."""
    plan.route("PJSIP/first~20", "PJSIP/second~20")
    calling = asyncio.create_task(plan.call())
    for _ in range(2):  # asked once more, for as long as it takes
        invite = await plan.asked(plan.first)
        plan.first.reply(invite, "100 Trying")
    await asyncio.sleep(5)
    plan.first.reply(invite, "180 Ringing")
    dialog = await plan.first.accept(invite, sdp(await plan.first.new_media()))
    caller = await calling
    assert caller.answer is not None
    assert caller.answer.status == 200
    await plan.talking("first")
    await dialog.hang_up()
    assert plan.invites(plan.second) == []
    assert (await plan.ended())[0].answered_by == "first"


async def test_a_phone_that_forwards_is_not_followed_and_the_call_says_so(plan: World) -> None:
    plan.route("PJSIP/first~20", "PJSIP/second~20")
    calling = asyncio.create_task(plan.call())
    invite = await plan.asked(plan.first)
    plan.first.reply(
        invite, "302 Moved Temporarily", [f"Contact: <sip:89991112233@{plan.second.host}>"]
    )
    await rings(plan, plan.second, "486 Busy Here")
    await calling
    assert [message.first for message in plan.second.seen if "8999" in message.first] == []
    await plan.ended()
    assert [row.extra["forward"] for row in plan.rows() if row.event == "FORWARD"] == [
        "89991112233"
    ]
    assert plan.said("RINGTRACE_END")[0]["forwarded"] == "1"
    assert (await plan.ended())[0].forwarded_to == "89991112233"


async def test_a_call_that_was_only_forwarded_reached_no_phone(plan: World) -> None:
    plan.route("PJSIP/first~20")
    calling = asyncio.create_task(plan.call())
    invite = await plan.asked(plan.first)
    plan.first.reply(invite, "302 Moved Temporarily", ["Contact: <sip:89991112233@example.com>"])
    answer = (await calling).answer
    assert answer is not None
    assert answer.status == 480
    assert (await plan.ended())[0].ending is Ending.UNREACHABLE


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
async def test_telephony_that_does_not_know_us_has_declined_nothing(
    plan: World, status: str
) -> None:
    plan.route("PJSIP/first~20")
    calling = asyncio.create_task(plan.call())
    invite = await plan.asked(plan.first)
    plan.first.reply(invite, status)
    answer = (await calling).answer
    assert answer is not None
    assert answer.status == 480
    assert (await plan.ended())[0].ending is Ending.UNREACHABLE


async def test_who_declines_is_not_passed_over_for_the_next(plan: World) -> None:
    plan.route("PJSIP/first~20", "PJSIP/second~20")
    ringing = asyncio.create_task(rings(plan, plan.first, "603 Decline"))
    answer = (await plan.call()).answer
    await ringing
    assert answer is not None
    assert answer.status in {403, 603}
    assert plan.invites(plan.second) == []


async def test_a_pbx_that_returns_every_call_ends_soon(plan: World) -> None:
    plan.route("PJSIP/first~6")

    async def send_back() -> None:
        while True:
            invite = await plan.asked(plan.first)
            plan.first.reply(invite, "100 Trying")
            media, number = (
                await plan.first.new_media(),
                invite.header("From").partition("sip:")[2].partition("@")[0],
            )
            dialog = plan.first.new_dialog("205", number)
            returned.append(
                asyncio.create_task(plan.first.ask(dialog, "INVITE", (), sdp(media), timeout=180))
            )

    returned: list[asyncio.Task[object]] = []
    pbx = asyncio.create_task(send_back())
    await plan.call()
    pbx.cancel()
    for task in returned:
        task.cancel()
    assert 1 < len(plan.invites(plan.first)) < 8


async def test_a_withheld_number_is_marked_in_the_cel_log(plan: World) -> None:
    plan.route("PJSIP/first~20")
    refusing = asyncio.create_task(rings(plan, plan.first, "486 Busy Here"))
    await plan.call(
        NUMBERS[0], "P-Asserted-Identity: <sip:+79160000001@example.com>", "Privacy: id"
    )
    await refusing
    (call,) = await plan.ended()
    assert (call.withheld, call.caller_raw) == (True, "+79160000001")


async def test_a_queue_of_ones_own_is_a_step_and_its_agent_answers(plan: World) -> None:
    plan.route("Local/600@our-queues~20", "PJSIP/second~20")
    calling = asyncio.create_task(plan.call())
    invite = await plan.asked(plan.first)
    plan.first.reply(invite, "180 Ringing")
    await asyncio.sleep(1)
    dialog = await plan.first.accept(invite, sdp(await plan.first.new_media()))
    await calling
    await plan.talking("first")
    await dialog.hang_up()
    (call,) = await plan.ended()
    assert (call.ending, call.answered_by) == (Ending.ANSWERED, "first")
    assert call.wait_seconds > 0.9, "until a person answered, not until the queue did"
    assert plan.invites(plan.second) == []


async def test_a_caller_who_was_not_taken_from_the_queue_was_not_answered(plan: World) -> None:
    plan.route("Local/601@our-queues~20")
    calling = asyncio.create_task(plan.call())
    await rings(plan, plan.first)
    caller = await calling
    await asyncio.sleep(1)
    await caller.hang_up()
    (call,) = await plan.ended()
    assert (call.ending, call.answered_at) == (Ending.ABANDONED, None)


async def test_an_older_cel_custom_writes_the_same_rows() -> None:
    async with world(advanced_cel=False) as plan:
        plan.route("PJSIP/first~20")
        refusing = asyncio.create_task(rings(plan, plan.first, "486 Busy Here"))
        began = time.time()
        await plan.call()
        await refusing
        (call,) = await plan.ended()
    assert call.ending is Ending.BUSY
    assert abs(call.arrived_at.timestamp() - began) < 60, "whatever the machine's time zone is"
