"""Conferences, parking, queues behind `Local/…`: both sides are recorded, talk is with a person."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio

from router import bootstrap
from router.domain.calls.call import Call, Ending, TransferOutcome
from router.domain.visitors.site import Destination, Step
from tests.acceptance.calling import somebody, the_call
from tests.acceptance.phone_world import (
    CALLER,
    CONSULTING,
    FIRST,
    SECOND,
    TALK,
    Phones,
    Talk,
    after,
    phone_world,
    share,
)
from tests.acceptance.talking_phone import PhoneCall

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHOLE = 0.6  # of a speaker's frames: a busy machine loses some
OWN = {
    "custom/modules.conf": "load = app_confbridge.so\nload = res_parking.so\n"
    "load = res_clioriginate.so\n",
    "custom/extensions.conf": """
[own]
exten => 600,1,Answer()
 same => n,MixMonitor(${UNIQUEID}-of-the-pbx.wav)
 same => n,Queue(sales,,,,20)
 same => n,Hangup()
exten => 601,1,Answer()
 same => n,ConfBridge(meeting)
exten => 602,1,Set(__TRANSFER_CONTEXT=own)
 same => n,Dial(PJSIP/head-office,20)
exten => 750,1,Park(short)
include => parkedcalls
""",
    "custom/queues.conf": "[sales]\nstrategy = ringall\nmember => PJSIP/head-office\n",
    "confbridge.conf": """
[general]
[default_user]
type = user
quiet = yes
music_on_hold_when_empty = yes
[default_bridge]
type = bridge
""",
    "res_parking.conf": "[general]\n[default]\nparkext => 700\nparkpos => 701-720\n"
    "context => parkedcalls\n[short]\nparkpos => 751-760\ncontext => parkedshort\n"
    "parkingtime => 2\ncomebacktoorigin = yes\n",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def phones(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Phones]:
    """An Asterisk with a telephony of its own."""
    async with phone_world(tmp_path_factory.mktemp("home"), OWN) as made:
        yield made


@dataclass(kw_only=True)
class Dialled:
    """A call on its way to an extension of the own dialplan."""

    phones: Phones
    number: str
    call: asyncio.Task[PhoneCall]

    async def ended(self, caller: PhoneCall) -> tuple[Call, "Sides"]:
        """Hang up; the call as it was learned, and what was recorded."""
        left, right = await Talk(phones=self.phones, number=self.number, caller=caller).recorded()
        call = await the_call(self.phones.system, replace(somebody(""), number=self.number))
        return call, Sides(left=left, right=right)


@dataclass(frozen=True, kw_only=True)
class Sides:
    """The numbered frames of a recording: what the caller said, and what the company said."""

    left: list[tuple[int, int]]
    right: list[tuple[int, int]]


@asynccontextmanager
async def dialled(phones: Phones, extension: str) -> AsyncIterator[Dialled]:
    """A caller dials in, and is sent to this extension."""
    step = Step(dial=f"Local/{extension}@own", ring_seconds=20)
    await phones.system.direct(
        Destination(id="office", name="Office", steps=(step,), created_at=bootstrap.now())
    )
    lease, number = await phones.system.lease(), somebody("").number
    calling = phones.carrier.call(lease.number, sender=number, speaker=CALLER)
    made = Dialled(phones=phones, number=number, call=asyncio.create_task(calling))
    try:
        yield made
    finally:
        if made.call.done() and not made.call.cancelled():
            await made.call.result().hang_up()
        made.call.cancel()


async def heard(phones: Phones, ear: PhoneCall, speaker: int, frames: int = 20) -> None:
    """This phone has heard so many frames of a speaker."""
    before = len(ear.media.heard)

    async def look() -> bool:
        return sum(who == speaker for who, _ in ear.media.heard[before:]) >= frames

    await phones.system.until(look, f"speaker {speaker} was not heard")


def caller_heard(caller: PhoneCall, speaker: int) -> list[int]:
    """The frames of a speaker that the caller heard."""
    return [number for who, number in caller.media.heard if who == speaker]


async def hears_music(phones: Phones, ear: PhoneCall, seconds: float) -> None:
    """So long a time passes, and something is played."""
    before = ear.media.packets
    await asyncio.sleep(seconds)

    async def look() -> bool:
        return ear.media.packets > before + 20

    await phones.system.until(look, "nothing was played")


async def rung_by_asterisk(phones: Phones, channel: str, extension: str) -> PhoneCall:
    """A phone of the company that Asterisk rings, and connects with an extension."""
    phone = phones.second if channel.endswith("second") else phones.office
    await phones.system.console(f"channel originate {channel} extension {extension}@own")
    return await phone.rings()


async def test_a_conference_is_recorded_and_talk_begins_with_the_second_person(
    phones: Phones,
) -> None:
    async with dialled(phones, "601") as dial:
        caller = await dial.call
        await hears_music(phones, caller, TALK)  # for one who is alone
        colleague = await rung_by_asterisk(phones, "PJSIP/second", "601")
        colleague.media.speaker = SECOND
        caller.media.speak(caller.start, quiet=True)  # a conference adds voices up, and clips
        await colleague.answer()
        await heard(phones, caller, SECOND)
        colleague.media.speak(colleague.start.jumped(1), quiet=True)
        caller.media.speak(caller.start.jumped(1))
        said = len(caller.media.sent)
        await heard(phones, colleague, CALLER)
        call, sides = await dial.ended(caller)
        await colleague.hang_up()
    assert (call.ending, call.answered_by) == (Ending.ANSWERED, "second")
    assert call.wait_seconds > TALK
    assert call.talk_seconds > 0.8
    assert share(sides.left, CALLER, after(caller, said)) > WHOLE
    assert share(sides.right, SECOND, caller_heard(caller, SECOND)) > WHOLE


async def test_a_parked_caller_is_taken_by_another_phone_and_recorded_with_both(
    phones: Phones,
) -> None:
    async with dialled(phones, "602") as dial:
        phone = await phones.office.rings(dial.number)
        phone.media.speaker = FIRST
        await phone.answer()
        caller = await dial.call
        await heard(phones, caller, FIRST)
        await asyncio.sleep(TALK)
        first = list(phone.media.sent)
        await phone.refer("700")
        await phone.transferred()
        await phone.hang_up()
        await hears_music(phones, caller, 2 * TALK)  # in the parking lot
        colleague = await rung_by_asterisk(phones, "PJSIP/second", "701")
        colleague.media.speaker = SECOND
        await colleague.answer()
        await heard(phones, caller, SECOND)
        said = len(caller.media.sent)
        await asyncio.sleep(TALK)
        call, sides = await dial.ended(caller)
    (transfer,) = call.transfers
    assert (transfer.outcome, transfer.answered_by) == (TransferOutcome.ANSWERED, "second")
    assert (call.ending, call.last_answered_by) == (Ending.ANSWERED, "second")
    assert call.transfer_seconds > 2 * TALK
    assert call.ended_at is not None
    parts = (call.wait_seconds, call.talk_seconds, call.hold_seconds, call.transfer_seconds)
    assert sum(parts) == pytest.approx((call.ended_at - call.arrived_at).total_seconds())
    assert share(sides.right, FIRST, first[:-5]) > WHOLE
    assert share(sides.right, SECOND, caller_heard(caller, SECOND)) > WHOLE
    assert share(sides.left, CALLER, after(caller, said)) > WHOLE


@asynccontextmanager
async def talking_with_first(phones: Phones) -> AsyncIterator[tuple[Dialled, PhoneCall, PhoneCall]]:
    """A caller talks with the first phone, which can transfer by the own dialplan."""
    async with dialled(phones, "602") as dial:
        phone = await phones.office.rings(dial.number)
        phone.media.speaker = FIRST
        await phone.answer()
        caller = await dial.call
        await heard(phones, caller, FIRST)
        await asyncio.sleep(TALK)
        yield dial, caller, phone


async def test_a_parked_caller_whom_no_phone_takes_comes_back_to_the_parker(
    phones: Phones,
) -> None:
    async with talking_with_first(phones) as (dial, caller, phone):
        first = list(phone.media.sent)
        await phone.refer("750")
        await phone.transferred()
        await phone.hang_up()
        back = await phones.office.rings(dial.number)
        back.media.speaker = SECOND
        await back.answer()
        await heard(phones, caller, SECOND)
        said = len(caller.media.sent)
        await asyncio.sleep(TALK)
        call, sides = await dial.ended(caller)
    assert (call.ending, call.last_answered_by) == (Ending.ANSWERED, "head-office")
    assert [transfer.outcome for transfer in call.transfers] == [TransferOutcome.RETURNED]
    assert call.transfer_seconds > 1.5
    assert call.ended_at is not None
    parts = (call.wait_seconds, call.talk_seconds, call.hold_seconds, call.transfer_seconds)
    assert sum(parts) == pytest.approx((call.ended_at - call.arrived_at).total_seconds())
    assert share(sides.right, FIRST, first[:-5]) > WHOLE
    assert share(sides.right, SECOND, caller_heard(caller, SECOND)) > WHOLE
    assert share(sides.left, CALLER, after(caller, said)) > WHOLE


async def test_a_caller_is_moved_into_a_conference_of_three_and_recorded_there(
    phones: Phones,
) -> None:
    async with talking_with_first(phones) as (dial, caller, phone):
        first = list(phone.media.sent)
        members = [
            await rung_by_asterisk(phones, f"PJSIP/{name}", "601")
            for name in ("second", "head-office")
        ]
        for member, speaker in zip(members, (SECOND, CONSULTING), strict=True):
            member.media.speaker = speaker
            await member.answer()
            member.media.speak(member.start, quiet=True)
        await phone.refer("601")
        await phone.transferred()
        await phone.hang_up()
        caller.media.speak(caller.start.jumped(1), quiet=True)
        for member in members:  # one after the other: a conference adds voices up, and clips
            member.media.speak(member.start.jumped(2))
            await heard(phones, caller, member.media.speaker)
            member.media.speak(member.start.jumped(3), quiet=True)
        caller.media.speak(caller.start.jumped(4))
        said = len(caller.media.sent)
        await asyncio.gather(*(heard(phones, member, CALLER) for member in members))
        call, sides = await dial.ended(caller)
        for member in members:
            await member.hang_up()
    assert call.ending is Ending.ANSWERED
    assert [transfer.outcome for transfer in call.transfers] == [TransferOutcome.ANSWERED]
    assert call.last_answered_by in {"second", "head-office"}
    assert share(sides.right, FIRST, first[:-5]) > WHOLE
    for speaker in (SECOND, CONSULTING):
        assert share(sides.right, speaker, caller_heard(caller, speaker)) > WHOLE
    assert share(sides.left, CALLER, after(caller, said)) > WHOLE


async def test_a_queue_with_a_recording_of_its_own_is_recorded_from_the_agent_on(
    phones: Phones,
) -> None:
    async with dialled(phones, "600") as dial:
        phone = await phones.office.rings(dial.number)
        phone.say("180 Ringing")
        caller = await dial.call
        await hears_music(phones, caller, 2 * TALK)  # in the queue
        phone.media.speaker, picked_up = FIRST, time.monotonic()
        await phone.answer()
        await heard(phones, caller, FIRST)
        said = len(caller.media.sent)
        await asyncio.sleep(TALK)
        await caller.hang_up()
        most = time.monotonic() - picked_up
        call, sides = await dial.ended(caller)
    assert (call.ending, call.answered_by) == (Ending.ANSWERED, "head-office")
    assert call.wait_seconds > 2 * TALK
    assert TALK < call.talk_seconds < most + 0.1
    assert share(sides.right, FIRST, caller_heard(caller, FIRST)) > WHOLE
    assert share(sides.left, CALLER, after(caller, said)) > WHOLE
