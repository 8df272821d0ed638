"""Requests that cross, offers that come late, and phones that answer for one another: the call has
sound, ends once, and the CEL log says what it was.

No process of ours runs: Asterisk answers alone.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import pytest_asyncio

from router.domain.calls.call import Call, Ending
from tests.acceptance.dialplan_world import NUMBERS, World, world
from tests.acceptance.raw_media import RawMedia, sdp
from tests.acceptance.raw_message import SipMessage
from tests.acceptance.raw_phone import RawDialog, RawPhone
from tests.acceptance.raw_talk import Talk

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plan() -> AsyncIterator[World]:
    """One Asterisk for all tests of the file."""
    async with world() as made:
        made.route("PJSIP/first~20")
        yield made


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def quiet(plan: World) -> None:
    """No earlier call is in the CEL log."""
    await plan.forget()


async def ringing(plan: World, body: str) -> tuple["Late", SipMessage]:
    """A call that rings, from a caller who says when to acknowledge."""
    late = Late(plan.carrier, plan.carrier.new_dialog(NUMBERS[0]))
    late.send("INVITE", body)
    invite = await plan.asked(plan.first)
    plan.first.reply(invite, "180 Ringing")
    return late, invite


async def talking(plan: World) -> Talk:
    """A call that was answered."""
    caller_rtp, company_rtp = await plan.carrier.new_media(), await plan.first.new_media()
    late, invite = await ringing(plan, sdp(caller_rtp))
    company = await plan.first.accept(invite, sdp(company_rtp))
    await late.answered()
    late.send("ACK")
    return Talk(caller=late.dialog, company=company, caller_rtp=caller_rtp, company_rtp=company_rtp)


class Late:
    """An INVITE whose steps are taken one by one."""

    def __init__(self, phone: RawPhone, dialog: RawDialog) -> None:
        self.phone, self.dialog = phone, dialog
        self._branch = f"z9hG4bK{uuid4().hex}"

    def send(self, method: str, body: str = "") -> None:
        """INVITE, ACK or CANCEL."""
        branch = self._branch + ("ack" if method == "ACK" else "")
        via = f"Via: SIP/2.0/UDP {self.phone.host}:{self.phone.port};rport;branch={branch}"
        lines = (via, *self.phone._lines(self.dialog), f"CSeq: {self.dialog.sequence} {method}")
        self.phone.send(f"{method} {self.dialog.target} SIP/2.0", lines, body)

    async def answered(self) -> SipMessage:
        """The final answer to the INVITE."""

        def final(message: SipMessage) -> bool:
            same = message.header("Call-ID") == self.dialog.call_id
            sequence = f"{self.dialog.sequence} INVITE"
            return same and message.status >= 200 and message.header("CSeq") == sequence

        answer = await self.phone.expect(final)
        if answer.status == 200:
            contact = re.search(r"<([^>]*)>", answer.header("Contact"))
            assert contact is not None
            self.dialog.remote, self.dialog.target = answer.header("To"), contact[1]
            self.dialog.answer = answer
        return answer


async def the_call(plan: World) -> Call:
    (call,) = await plan.ended()
    return call


async def test_an_offer_that_comes_with_the_answer_has_sound(plan: World) -> None:
    caller_rtp, company_rtp = await plan.carrier.new_media(), await plan.first.new_media()
    late, invite = await ringing(plan, "")
    company = await plan.first.accept(invite, sdp(company_rtp))
    assert "m=audio" in (await late.answered()).body
    late.send("ACK", sdp(caller_rtp))
    talk = Talk(caller=late.dialog, company=company, caller_rtp=caller_rtp, company_rtp=company_rtp)
    await talk.is_heard()
    again = Late(plan.carrier, late.dialog)
    late.dialog.sequence += 1
    again.send("INVITE")
    assert "m=audio" in (await again.answered()).body
    again.send("ACK", sdp(caller_rtp))
    await talk.is_heard()
    await late.dialog.hang_up()
    assert (await the_call(plan)).ending is Ending.ANSWERED


async def test_a_caller_who_cancels_as_the_phone_answers_has_hung_up_and_the_phone_too(
    plan: World,
) -> None:
    late, invite = await ringing(plan, sdp(await plan.carrier.new_media()))
    late.send("CANCEL")
    plan.first.reply(invite, "200 OK", (), sdp(await plan.first.new_media()))
    status = (await late.answered()).status
    late.send("ACK")
    if status == 200:
        await late.dialog.hang_up()

    def over(message: SipMessage) -> bool:
        same = message.header("Call-ID") == invite.header("Call-ID")
        return same and message.method in {"BYE", "CANCEL"} and not message.status

    await plan.first.expect(over)
    assert (await the_call(plan)).ending in {Ending.ABANDONED_RINGING, Ending.ANSWERED}


async def test_both_sides_hang_up_or_hold_in_the_same_moment(plan: World) -> None:
    talk = await talking(plan)
    sides = ((talk.caller, talk.caller_rtp), (talk.company, talk.company_rtp))
    for direction in ("sendonly", "sendrecv"):
        offers = [side.ask("INVITE", body=sdp(media, direction=direction)) for side, media in sides]
        assert {answer.status for answer in await asyncio.gather(*offers)} <= {200, 491}
    await talk.is_heard()
    answers = await asyncio.gather(*(side.hang_up() for side, _ in sides))
    assert {answer.status for answer in answers} <= {200, 481}
    assert (await the_call(plan)).ending is Ending.ANSWERED


def forked(phone: RawPhone, invite: SipMessage, status: str, tag: str, media: RawMedia) -> None:
    """The answer of one of the phones behind a proxy that forks."""
    kept = [
        f"{name}: {value}"
        for name, value in invite.headers
        if name in {"Via", "From", "Call-ID", "CSeq"}
    ]
    to = f"To: {invite.header('To')};tag={tag}"
    contact = f"Contact: <sip:{tag}@{phone.host}:{phone.port}>"
    phone.send(f"SIP/2.0 {status}", (*kept, to, contact), sdp(media))


@pytest.mark.parametrize("second", ["rings", "answers too"])
async def test_of_two_phones_behind_a_proxy_the_one_that_answers_is_heard(
    plan: World, second: str
) -> None:
    caller_rtp, a, b = [await phone.new_media() for phone in (plan.carrier, plan.first, plan.first)]
    calling = asyncio.create_task(plan.carrier.call(NUMBERS[0], sdp(caller_rtp)))
    invite = await plan.asked(plan.first)
    forked(plan.first, invite, "183 Session Progress", "bbb", b)
    forked(plan.first, invite, "183 Session Progress", "aaa", a)
    forked(plan.first, invite, "200 OK", "aaa", a)
    if second == "answers too":
        forked(plan.first, invite, "200 OK", "bbb", b)
    caller = await calling
    async with asyncio.timeout(180):
        while min(caller_rtp.audible(), a.audible()) < 20:
            await asyncio.gather(caller_rtp.talk(caller.media, 0.2), a.talk(invite.media(), 0.2))
    await caller.hang_up()
    call = await the_call(plan)
    assert (call.ending, call.answered_by) == (Ending.ANSWERED, "first")


async def test_a_colleague_takes_a_call_over_by_the_contact_of_its_dialog(plan: World) -> None:
    talk = await talking(plan)
    await talk.is_heard()
    taken = talk.company
    tags = [re.sub(r".*;tag=", "", side) for side in (taken.remote, taken.local)]
    replaces = f"Replaces: {taken.call_id};to-tag={tags[0]};from-tag={tags[1]}"
    media = await plan.second.new_media()
    colleague = await plan.second.call("anna", sdp(media), (replaces,), uri=taken.target)
    assert colleague.answer is not None
    assert colleague.answer.status == 200
    talk.company, talk.company_rtp = colleague, media
    await talk.is_heard()
    await talk.caller.hang_up()
    call = await the_call(plan)
    assert (call.ending, call.answered_by, call.last_answered_by) == (
        Ending.ANSWERED,
        "first",
        "second",
    )


async def test_our_contact_alone_is_no_number(plan: World) -> None:
    host, port = plan.second.peer
    offer = sdp(await plan.second.new_media())
    asked = await plan.second.call("x", offer, uri=f"sip:asterisk@{host}:{port}")
    assert asked.answer is not None
    assert asked.answer.status == 404
