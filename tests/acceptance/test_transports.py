"""Trunks over TLS with SRTP, and over IPv6: calls come and go, and the recording has both sides."""

import asyncio
import re
import tempfile
from pathlib import Path

import numpy as np

from router.asterisk.transports import Tls
from router.asterisk.trunks import Side, Transport, Trunk, TrunkKind, Trunks
from router.domain.calls.call import Ending
from tests.acceptance.dialplan_world import NUMBERS, World, world
from tests.acceptance.ipv6_phone import V6Phone
from tests.acceptance.raw_media import sdp
from tests.acceptance.raw_phone import RawPhone
from tests.acceptance.raw_talk import Talk
from tests.acceptance.secure_phone import SecurePhone, SrtpKey, make_certificate
from tests.support.ports import free_port


def write_trunk(plan: World, phone: RawPhone, name: str, host: str, **options: object) -> None:
    """A trunk to a phone of this test."""
    side = Side.CARRIER if name == "outside" else Side.COMPANY
    trunk = Trunk(name=name, kind=TrunkKind.IP, side=side, host=f"{host}:{phone.port}", **options)  # type: ignore[arg-type]
    Trunks(plan.places.home / "etc/ringtrace").add(trunk)


async def is_recorded(plan: World, side: str) -> None:
    """Wait until a second of sound is in the file of this side."""
    (path,) = plan.places.spool.glob(f"*-{side}.sln")
    async with asyncio.timeout(180):
        while loud_seconds(np.frombuffer(path.read_bytes(), dtype="<i2")) < 1.0:
            await asyncio.sleep(0.05)


def loud_seconds(samples: np.ndarray) -> float:
    """How long there is sound."""
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160).astype(float)
    return float((np.sqrt((frames**2).mean(axis=1)) > 100).sum()) * 0.02


async def test_an_encrypted_call_over_tls_is_heard_and_recorded_on_both_sides() -> None:
    with tempfile.TemporaryDirectory() as directory:
        server, line = (
            make_certificate(Path(directory), host) for host in ("127.0.0.1", "127.0.0.9")
        )
        port = free_port()
        tls = Tls(port=port, certificate=str(server), authorities=str(line))
        async with (
            world(tls=tls) as plan,
            SecurePhone("127.0.0.8", port, server) as carrier,
            SecurePhone("127.0.0.9", port, line) as office,
        ):
            for name, phone in (("outside", carrier), ("office", office)):
                write_trunk(plan, phone, name, phone.host, transport=Transport.TLS, srtp=True)
            await plan.console.run("module reload res_pjsip.so")
            plan.route("PJSIP/office~20")
            await carrier.connect()

            caller_rtp, company_rtp = await carrier.new_media(), await office.new_media()
            offer = sdp(caller_rtp, profile="RTP/SAVP", lines=(caller_rtp.ours.line,))
            calling = asyncio.create_task(carrier.call(NUMBERS[0], offer))
            invite = await office.request("INVITE", 180)
            assert "SIP/2.0/TLS" in invite.header("Via")
            company_rtp.theirs = SrtpKey.of(invite.body)
            profile = "RTP/SAVP" if "RTP/SAVP" in invite.body else "RTP/AVP"
            answer = sdp(company_rtp, profile=profile, lines=(company_rtp.ours.line,))
            company = await office.accept(invite, answer)
            caller = await calling
            assert caller.answer is not None
            assert caller.answer.status == 200
            caller_rtp.theirs = SrtpKey.of(caller.answer.body)

            await Talk(
                caller=caller, company=company, caller_rtp=caller_rtp, company_rtp=company_rtp
            ).is_heard(60)
            await caller.hang_up()
            (call,) = await plan.ended()
            assert call.ending is Ending.ANSWERED
            for side in ("caller", "company"):
                await is_recorded(plan, side)


async def test_a_trunk_that_requires_encryption_refuses_plain_sound_and_offers_none() -> None:
    async with (
        world() as plan,
        RawPhone("127.0.0.8", plan.places.sip_port) as carrier,
        RawPhone("127.0.0.9", plan.places.sip_port) as office,
    ):
        for name, phone in (("outside", carrier), ("office", office)):
            write_trunk(plan, phone, name, phone.host, srtp_required=True)
        await plan.console.run("module reload res_pjsip.so")
        plan.route("PJSIP/office~20")
        media = await carrier.new_media()
        plain = await carrier.call(NUMBERS[0], sdp(media))
        assert plain.answer is not None
        assert plain.answer.status == 488

        key = SrtpKey(bytes(range(30))).line
        calling = asyncio.create_task(
            carrier.call(NUMBERS[0], sdp(media, profile="RTP/SAVP", lines=(key,)), timeout=180)
        )
        invite = await office.request("INVITE", 180)
        assert re.findall("^m=audio .*", invite.body, re.MULTILINE)
        assert "RTP/AVP" not in invite.body
        office.reply(invite, "486 Busy Here")
        encrypted = await calling
        assert encrypted.answer is not None
        assert encrypted.answer.status == 486


async def test_a_carrier_at_an_ipv6_address_is_heard_and_recorded_on_both_sides() -> None:
    async with world(sip_bind_v6="::1") as plan, V6Phone(plan.places.sip_port) as carrier:
        write_trunk(plan, carrier, "outside", "[::1]")
        await plan.console.run("module reload res_pjsip.so")
        plan.route("PJSIP/first~20")
        caller_rtp, company_rtp = await carrier.new_media(), await plan.first.new_media()
        calling = asyncio.create_task(
            carrier.call(NUMBERS[0], sdp(caller_rtp).replace("IN IP4", "IN IP6"))
        )
        company = await plan.first.pick_up(lambda _: sdp(company_rtp))
        caller = await calling
        assert caller.answer is not None
        assert "c=IN IP6 ::1" in caller.answer.body
        async with asyncio.timeout(180):
            while min(caller_rtp.audible(), company_rtp.audible()) < 60:
                await asyncio.gather(
                    caller_rtp.talk(("::1", caller.answer.media()[1]), 0.2),
                    company_rtp.talk(company.media, 0.2),
                )
        await caller.hang_up()
        assert (await plan.ended())[0].ending is Ending.ANSWERED
        for side in ("caller", "company"):
            await is_recorded(plan, side)
