"""What a carrier or a PBX may send besides a plain call: it is answered, and the sound goes on."""

import asyncio
import hashlib
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
import pytest_asyncio

from router import bootstrap
from router.asterisk.refused_calls import OUR_CALL, RefusedCall, read_refused
from router.asterisk.trunks import Side, Trunk, TrunkKind, Trunks
from router.domain.visitors.site import Destination, Step
from tests.acceptance.raw_media import RawMedia, sdp
from tests.acceptance.raw_phone import RawDialog, RawPhone
from tests.acceptance.raw_talk import Talk
from tests.acceptance.system import CARRIER, COMPANY, STATIC, System, line

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Line:
    """A carrier and the company's PBX, in which every line can be chosen."""

    carrier: RawPhone
    pbx: RawPhone


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wire(running: System) -> AsyncIterator[Line]:
    """Both phones, known to Asterisk."""
    port = running.settings.sip_port
    async with RawPhone(CARRIER, port) as carrier, RawPhone(COMPANY, port) as pbx:
        line(running, company=pbx.port)
        await running.console("module reload res_pjsip.so")

        async def known() -> bool:
            return f"{COMPANY}:{pbx.port} " in await running.console("pjsip show contacts")

        await running.until(known, "the company's PBX was not found")
        await running.until(
            lambda: _listens(running), "the agent does not read copies of SIP messages"
        )
        yield Line(carrier, pbx)


async def _listens(running: System) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", running.settings.sip_copies_port))
        except OSError:
            return True
    return False


Offer = Callable[[RawMedia], str]


@asynccontextmanager
async def talking(wire: Line, offer: Offer = sdp) -> AsyncIterator[Talk]:
    """A call with this offer, answered by the company's PBX; hung up by the caller."""
    caller_rtp, company_rtp = await wire.carrier.new_media(), await wire.pbx.new_media()
    calling = asyncio.create_task(wire.carrier.call(STATIC, offer(caller_rtp)))
    company = await wire.pbx.pick_up(lambda _: sdp(company_rtp))
    caller = await calling
    yield Talk(caller=caller, company=company, caller_rtp=caller_rtp, company_rtp=company_rtp)
    assert (await caller.hang_up()).status == 200
    await wire.pbx.request("BYE")


@pytest.mark.parametrize("side", ["caller", "company"])
@pytest.mark.parametrize(
    ("method", "headers", "body"),
    [
        ("OPTIONS", (), ""),
        ("UPDATE", (), ""),
        ("INFO", (), ""),
        ("INFO", ("Content-Type: application/dtmf-relay",), "Signal=5\r\nDuration=160\r\n"),
    ],
)
async def test_a_request_inside_a_call_is_answered(
    wire: Line, side: str, method: str, headers: tuple[str, ...], body: str
) -> None:
    async with talking(wire) as talk:
        dialog: RawDialog = getattr(talk, side)
        assert (await dialog.ask(method, headers, body)).status == 200
        await talk.is_heard()


FAX = (
    "m=image {port} udptl t38\r\na=T38FaxVersion:0\r\na=T38MaxBitRate:14400\r\n"
    "a=T38FaxRateManagement:transferredTCF\r\na=T38FaxMaxDatagram:400\r\na=T38FaxUdpEC:t38UDPRedundancy\r\n"
)
VIDEO = "m=video {port} RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
TEXT = "m=text {port} RTP/AVP 98\r\na=rtpmap:98 t140/1000\r\n"
KEY = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"


def beside(stream: str) -> Offer:
    """Sound, and another stream."""
    return lambda media: sdp(media, more=stream.format(port=media.port + 1))


OFFERS: dict[str, Offer] = {
    "sound and fax": beside(FAX),
    "sound and video": beside(VIDEO),
    "sound and text": beside(TEXT),
    "encryption where we want it": lambda media: sdp(media, lines=(KEY,)),
    "better codecs first": lambda media: sdp(
        media, "111 9 8", lines=("a=rtpmap:111 opus/48000/2",)
    ),
    "digits at an odd payload": lambda media: sdp(
        media, "8 97", lines=("a=rtpmap:97 telephone-event/8000",)
    ),
    "packets of 60 ms": lambda media: sdp(media, lines=("a=ptime:60",)),
}


@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS)
async def test_sound_goes_both_ways_whatever_a_carrier_offers_beside_it(
    wire: Line, offer: Offer
) -> None:
    async with talking(wire, offer) as talk:
        await talk.is_heard()


HOLDS: dict[str, Offer] = {
    "sendonly": lambda media: sdp(media, direction="sendonly"),
    "inactive": lambda media: sdp(media, direction="inactive"),
    "no address": lambda media: sdp(media, address="0.0.0.0"),
}


@pytest.mark.parametrize("hold", HOLDS.values(), ids=HOLDS)
async def test_a_caller_on_hold_hears_music_until_the_company_is_back(
    wire: Line, hold: Offer
) -> None:
    async with talking(wire) as talk:
        await talk.is_heard()
        assert (await talk.company.ask("INVITE", body=hold(talk.company_rtp))).status == 200
        await talk.caller_hears_music()

        assert (await talk.company.ask("INVITE", body=sdp(talk.company_rtp))).status == 200
        await talk.is_heard()


async def test_a_request_inside_a_call_goes_to_the_contact_that_the_carrier_gave(
    running: System, wire: Line
) -> None:
    async with RawPhone(CARRIER, running.settings.sip_port) as elsewhere:
        caller_rtp, company_rtp = await wire.carrier.new_media(), await wire.pbx.new_media()
        before, wire.carrier.contact = wire.carrier.contact, elsewhere.contact
        calling = asyncio.create_task(wire.carrier.call(STATIC, sdp(caller_rtp)))
        company = await wire.pbx.pick_up(lambda _: sdp(company_rtp))
        await calling
        wire.carrier.contact = before
        assert (await company.hang_up()).status == 200
        await elsewhere.request("BYE")


async def test_a_company_line_that_answers_no_options_is_called(
    running: System, wire: Line
) -> None:
    wire.pbx.options = None
    await running.console("pjsip qualify head-office")

    async def silent() -> bool:
        said = await running.console("pjsip show contacts")
        return any("head-office_hint/" in line and "Unavail" in line for line in said.splitlines())

    await running.until(silent, "Asterisk did not notice that OPTIONS are not answered")
    try:
        async with talking(wire) as talk:
            await talk.is_heard()
    finally:
        wire.pbx.options = "200 OK"


async def test_a_fax_in_mid_call_is_refused_and_the_call_goes_on(wire: Line) -> None:
    async with talking(wire) as talk:
        host, port = talk.caller_rtp.host, talk.caller_rtp.port
        fax = f"v=0\r\no=- 1 2 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n" + FAX.format(
            port=port
        )
        refused = await talk.caller.ask("INVITE", body=fax)
        while refused.status == 491:  # Asterisk re-invites too: each waits and asks again
            await asyncio.sleep(0.5)
            refused = await talk.caller.ask("INVITE", body=fax)
        assert refused.status == 488
        await talk.is_heard()


NO_SOUND: dict[str, tuple[Offer, str]] = {
    "G.729 alone": (lambda media: sdp(media, "18"), "the codecs G729"),
    "encryption alone": (
        lambda media: sdp(media, profile="RTP/SAVP", lines=(KEY,)),
        "encrypted sound alone",
    ),
    "a fax alone": (
        lambda media: sdp(media, port=0, more=FAX.format(port=media.port)),
        "no sound, only audio, image",
    ),
}


@pytest.mark.parametrize(("offer", "offered"), NO_SOUND.values(), ids=NO_SOUND)
async def test_a_call_that_is_refused_for_what_it_offers_leaves_a_trace(
    running: System, wire: Line, offer: Offer, offered: str
) -> None:
    call = await wire.carrier.call(STATIC, offer(await wire.carrier.new_media()))
    assert call.answer is not None
    assert call.answer.status == 488

    async def written() -> RefusedCall | None:
        return next(
            (
                line
                for line in read_refused(running.settings.refused_calls)
                if line.offered == offered
            ),
            None,
        )

    line = await running.until(written, "the refused call left no trace")
    assert (line.trunk, line.status, line.count) == ("carrier", 488, 1)


async def test_telephony_that_does_not_know_us_is_named(running: System, wire: Line) -> None:
    calling = asyncio.create_task(wire.carrier.call(STATIC, sdp(await wire.carrier.new_media())))
    wire.pbx.reply(await wire.pbx.request("INVITE", 180), "403 Forbidden")
    answer = (await calling).answer
    assert answer is not None
    assert answer.status == 480

    async def written() -> RefusedCall | None:
        return next(
            (line for line in read_refused(running.settings.refused_calls) if line.status == 403),
            None,
        )

    line = await running.until(written, "the refused call left no trace")
    assert (line.trunk, line.offered) == ("head-office", OUR_CALL)


async def test_all_phones_that_registered_under_one_account_ring(
    running: System, wire: Line
) -> None:
    trunks, password = Trunks(running.settings.ringtrace_etc), "of-the-desk-1"
    trunks.add(Trunk(name="desk", kind=TrunkKind.ACCOUNT, side=Side.COMPANY), password)
    office = Destination(
        id="office", name="Office", steps=(Step(dial="PJSIP/desk"),), created_at=bootstrap.now()
    )
    port = running.settings.sip_port
    async with RawPhone("127.0.0.21", port) as first, RawPhone("127.0.0.22", port) as second:
        await running.console("module reload res_pjsip.so")
        for phone in (first, second):
            await running.until(
                lambda phone=phone: _registers(phone, password), "a phone could not register"
            )
        await running.direct(office)
        calling = asyncio.create_task(
            wire.carrier.call(STATIC, sdp(await wire.carrier.new_media()))
        )
        invites = await asyncio.gather(first.request("INVITE"), second.request("INVITE"))
        first.reply(invites[0], "180 Ringing")
        second_rtp = await second.new_media()
        await second.accept(invites[1], sdp(second_rtp))
        await first.request("CANCEL")
        assert (await (await calling).hang_up()).status == 200


async def _registers(phone: RawPhone, password: str) -> bool:
    realm, uri = "asterisk", f"sip:127.0.0.1:{phone.peer[1]}"
    dialog = phone.new_dialog("desk", number="desk", uri=uri)
    challenge = await dialog.ask("REGISTER")
    said = dict(re.findall(r'(\w+)="([^"]*)"', challenge.header("WWW-Authenticate")))
    secret = hashlib.md5(f"desk:{said.get('realm', realm)}:{password}".encode()).hexdigest()
    request = hashlib.md5(f"REGISTER:{uri}".encode()).hexdigest()
    nonce = said.get("nonce", "")
    response = hashlib.md5(f"{secret}:{nonce}:00000001:one:auth:{request}".encode()).hexdigest()
    values = (
        f'username="desk", realm="{said.get("realm", realm)}", nonce="{nonce}", uri="{uri}", '
        f'response="{response}"'
    )
    opaque = f', opaque="{said["opaque"]}"' if "opaque" in said else ""
    digest = (
        f"Authorization: Digest {values}, algorithm=MD5, qop=auth, nc=00000001, "
        f'cnonce="one"{opaque}'
    )
    dialog.remote = dialog.remote.partition(";tag=")[0]
    return (await dialog.ask("REGISTER", (digest, "Expires: 3600"))).status == 200
