"""Any request that a SIP peer may send has an answer, inside a call and outside one, and calls go
on.

No process of ours runs: Asterisk answers alone.
"""

import asyncio
from audioop import alaw2lin, lin2ulaw
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from tests.acceptance.dialplan_world import NUMBERS, World, world
from tests.acceptance.raw_media import TONE, sdp
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


@pytest_asyncio.fixture(loop_scope="module")
async def quiet(plan: World) -> None:
    """No earlier call is in the CEL log."""
    await plan.forget()


@asynccontextmanager
async def talking(plan: World, *headers: str) -> AsyncIterator[Talk]:
    """A call whose INVITE has these headers, while it lasts."""
    caller_rtp, company_rtp = await plan.carrier.new_media(), await plan.first.new_media()
    calling = asyncio.create_task(
        plan.carrier.call(NUMBERS[0], sdp(caller_rtp), headers, timeout=180)
    )
    invite = await plan.asked(plan.first)
    plan.first.reply(invite, "180 Ringing")
    if any("100rel" in header for header in headers):
        await acknowledge_ringing(plan.carrier)
    company = await plan.first.accept(invite, sdp(company_rtp))
    caller = await calling
    assert caller.answer is not None
    assert caller.answer.status == 200
    yield Talk(caller=caller, company=company, caller_rtp=caller_rtp, company_rtp=company_rtp)
    assert (await caller.hang_up()).status == 200
    await plan.first.request("BYE", 180)


async def acknowledge_ringing(phone: RawPhone) -> None:
    """Answer a 180 that wants it with PRACK."""
    ringing = await phone.expect(lambda message: message.header("Require") == "100rel", 180)
    assert ringing.status == 180
    early = RawDialog(
        phone=phone,
        call_id=ringing.header("Call-ID"),
        local=ringing.header("From"),
        remote=ringing.header("To"),
        target=ringing.header("Contact").strip("<>"),
    )
    said = (f"RAck: {ringing.header('RSeq')} {ringing.header('CSeq')}",)
    assert (await early.ask("PRACK", said, timeout=180)).status == 200


TEXT = ("Content-Type: text/plain",)
UNKNOWN = ("Content-Type: application/x-unknown",)
EVENT = ("Event: dialog", "Expires: 60")
PROGRESS = ("Event: refer", "Subscription-State: active", "Content-Type: message/sipfrag")
REQUESTS: dict[str, tuple[str, tuple[str, ...], str, set[int]]] = {
    "MESSAGE": ("MESSAGE", TEXT, "hello", {202}),
    "SUBSCRIBE": ("SUBSCRIBE", EVENT, "", {489, 500}),
    "PUBLISH": ("PUBLISH", ("Event: presence", *UNKNOWN), "x", {489, 500}),
    "NOTIFY": ("NOTIFY", PROGRESS, "SIP/2.0 100 Trying", {481, 500}),
    "NOTIFY of digits": ("NOTIFY", ("Event: telephone-event",), "", {481, 489, 500}),
    "INFO of an unknown kind": ("INFO", UNKNOWN, "x", {415, 500}),
    "INFO for a picture": ("INFO", ("Content-Type: application/media_control+xml",), "x", {200}),
    "REFER to nowhere": ("REFER", (), "", {400, 603}),
    "PRACK of nothing": ("PRACK", ("RAck: 1 1 INVITE",), "", {200, 400, 481}),
    "REGISTER": ("REGISTER", (), "", {404}),
    "an unknown method": ("FOOBAR", (), "", {405, 500, 501}),
    "UPDATE with a timer": ("UPDATE", ("Session-Expires: 1800;refresher=uac",), "", {200}),
    "UPDATE with a short timer": ("UPDATE", ("Session-Expires: 40", "Min-SE: 40"), "", {422}),
    "OPTIONS": ("OPTIONS", (), "", {200}),
}


@pytest.mark.parametrize("side", ["caller", "company"])
async def test_every_request_inside_a_call_has_an_answer_and_the_call_goes_on(
    plan: World, side: str
) -> None:
    got = {}
    async with talking(plan) as talk:
        dialog: RawDialog = getattr(talk, side)
        for name, (method, headers, body, _) in REQUESTS.items():
            got[name] = (await dialog.ask(method, headers, body, timeout=180)).status
        await talk.is_heard()
    assert {name: got[name] for name, said in REQUESTS.items() if got[name] not in said[3]} == {}


async def test_a_caller_is_heard_whatever_becomes_of_the_stream(plan: World) -> None:
    """Payloads get other numbers, packets another length, and the phone another port, of which SIP
    says nothing.
    """
    async with talking(plan) as talk:
        for kind, codec in ((97, "PCMA"), (111, "PCMA"), (0, "PCMU"), (8, "PCMA")):
            lines = (f"a=rtpmap:{kind} {codec}/8000", "a=ptime:60")
            offer = sdp(talk.caller_rtp, str(kind), lines=lines)
            assert (await talk.caller.ask("INVITE", body=offer)).status == 200
            await heard(talk, kind, TONE * 3 if codec == "PCMA" else lin2ulaw(alaw2lin(TONE, 2), 2))
        talk.caller_rtp = await plan.carrier.new_media()
        await heard(talk, 8, TONE)
        await talk.is_heard()
        assert (await talk.caller.ask("INVITE", body=sdp(talk.caller_rtp, "9"))).status == 488
        await talk.is_heard()


async def heard(talk: Talk, kind: int, sound: bytes) -> None:
    """The caller speaks in such packets until the company has heard some."""
    before = len(talk.company_rtp.heard)
    async with asyncio.timeout(180):
        while talk.company_rtp.audible(before) < 10:
            await talk.caller_rtp.talk(talk.caller.media, 0.2, sound, kind)


async def test_a_text_inside_a_call_goes_on_to_the_other_side(plan: World) -> None:
    async with talking(plan) as talk:
        assert (await talk.caller.ask("MESSAGE", TEXT, "hello")).status == 202

        def new(message: SipMessage) -> bool:
            same = message.header("Call-ID") == talk.company.call_id
            return message.method == "MESSAGE" and not message.status and same

        text = await plan.first.expect(new, 180)
        plan.first.reply(text, "200 OK")
        assert text.body == "hello"


@pytest.mark.parametrize("side", ["carrier", "first"])
async def test_every_request_outside_a_call_is_refused_and_rings_no_phone(
    plan: World, side: str
) -> None:
    await plan.forget()
    phone: RawPhone = getattr(plan, side)
    got = {}
    for name, (method, headers, body, _) in REQUESTS.items():
        outside = phone.new_dialog(NUMBERS[0])
        got[name] = (await phone.ask(outside, method, headers, body, timeout=180)).status
    assert got.pop("OPTIONS") == 200
    assert set(got.values()) <= {404, 481, 489, 501}, got
    assert not plan.places.cel_log.exists(), "nothing was dialled"
    assert plan.invites(plan.first) == []


OFFERS = {
    "100rel is required": ("Require: 100rel", "Supported: 100rel"),
    "a session timer": ("Supported: timer", "Session-Expires: 100;refresher=uac", "Min-SE: 90"),
    "a session timer is required": ("Require: timer", "Session-Expires: 1800", "Min-SE: 90"),
    "Replaces is known": ("Supported: replaces", "Require: replaces"),
    "something else is only supported": ("Supported: nonsense, gruu, path", "Allow-Events: kpml"),
}


@pytest.mark.parametrize("headers", OFFERS.values(), ids=OFFERS)
async def test_a_call_that_asks_for_what_is_known_has_sound(
    plan: World, headers: tuple[str, ...]
) -> None:
    async with talking(plan, *headers) as talk:
        await talk.is_heard()
        answer = talk.caller.answer
        assert answer is not None
        if any("Session-Expires" in header for header in headers):
            assert "Session-Expires" in {name for name, _ in answer.headers}


REFUSED = {
    "a timer that is too short": (422, "Supported: timer", "Session-Expires: 40"),
    "an extension nobody knows": (420, "Require: nonsense"),
    "a precondition": (420, "Require: precondition"),
    "a call that is not there": (481, "Replaces: no@where;to-tag=1;from-tag=2"),
}


@pytest.mark.parametrize("asked", REFUSED.values(), ids=REFUSED)
async def test_a_call_that_asks_for_what_is_not_known_is_refused_with_a_clear_code(
    plan: World, asked: tuple[int, ...]
) -> None:
    status, *headers = asked
    answer = (await plan.call(NUMBERS[0], *map(str, headers))).answer
    assert answer is not None
    assert answer.status == status
    if status == 422:
        assert answer.header("Min-SE") == "90"
    if status == 420:
        assert answer.header("Unsupported") == headers[0].removeprefix("Require: ")
    if status == 420:
        assert str(headers[0]).endswith(answer.header("Unsupported"))


async def by_way(carrier: RawPhone, dialog: RawDialog, body: str, way: str) -> int:
    """The final status of this INVITE, sent through a proxy of its own."""
    branch = f"z9hG4bK{way}{dialog.call_id.partition('@')[0]}"
    via = f"Via: SIP/2.0/UDP {carrier.host}:{carrier.port};rport;branch={branch}"
    common = (
        via,
        "Max-Forwards: 70",
        f"From: {dialog.local}",
        f"To: {dialog.remote}",
        f"Call-ID: {dialog.call_id}",
    )
    contact = f"Contact: <sip:raw@{carrier.host}:{carrier.port}>"
    carrier.send(f"INVITE {dialog.target} SIP/2.0", (*common, contact, "CSeq: 1 INVITE"), body)
    answer = await carrier.expect(lambda m: m.status >= 200 and branch in m.header("Via"), 180)
    ack = (*common[:3], f"To: {answer.header('To')}", common[4], "CSeq: 1 ACK")
    carrier.send(f"ACK {dialog.target} SIP/2.0", ack)
    return answer.status


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("apart", [0.0, 0.02, 1.0])
async def test_one_invite_by_two_ways_is_one_call(plan: World, apart: float) -> None:
    plan.route("PJSIP/first~20")
    ringing = asyncio.create_task(plan.asked(plan.first))
    dialog, body = plan.carrier.new_dialog(NUMBERS[0]), sdp(await plan.carrier.new_media())
    ways = []
    for way in ("one", "other"):
        ways.append(asyncio.create_task(by_way(plan.carrier, dialog, body, way)))
        await asyncio.sleep(apart)
    plan.first.reply(invite := await ringing, "180 Ringing")
    (second,), (first,) = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    plan.first.reply(invite, "486 Busy Here")
    assert (second.result(), await first) == (482, 486)
    assert len(plan.invites(plan.first)) == 1
    assert len(await plan.ended()) == 1
