"""The softphone against a real Asterisk: both sides are heard, every ending is known, nothing is
left.
"""

from __future__ import annotations  # the plugin must not be imported before pytest rewrites it

import asyncio
import re
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest

from router.phone import softphone
from router.phone.softphone import (
    CallNotUp,
    CallRefused,
    CallState,
    PhoneCall,
    RegistrationRefused,
    ServerSilent,
    Softphone,
    TimeExpired,
)
from tests.acceptance.audio import RATE, Samples, contains, from_pcap, loudness, spoken
from tests.support.ports import free_port

if TYPE_CHECKING:
    from tests.integration.bare_asterisk import BareAsterisk

pytest_plugins = ["tests.integration.bare_asterisk"]
LONG = 180.0  # seconds for what takes a moment where the machine has nothing else to do


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """With servers that answer, however slow this machine is."""
    monkeypatch.setattr(softphone, "PATIENCE", LONG)
    monkeypatch.setitem(Softphone.call.__kwdefaults__, "timeout", LONG)


async def hears(call: PhoneCall, said: Samples, score: float = 0.95) -> None:
    """Wait until all of it has come out of the line."""
    async with asyncio.timeout(LONG):
        while contains(call.heard(), said)[1] <= score:
            await asyncio.sleep(0.1)


def phone(server: BareAsterisk, name: str) -> Softphone:
    return Softphone("127.0.0.1", server.port, name, f"secret-{name}")


async def test_each_hears_whole_what_the_other_says_while_both_speak(
    bare_asterisk: BareAsterisk,
) -> None:
    question, reply = (
        from_pcap(),
        spoken("You have reached the company, how may I help you today? " * 2),
    )
    async with phone(bare_asterisk, "anna") as anna, phone(bare_asterisk, "boris") as boris:
        call = await anna.call("boris")
        ringing = await boris.incoming(LONG)
        began = time.monotonic()
        await ringing.answer()
        await call.answered(LONG)
        waited = time.monotonic() - began
        await asyncio.gather(call.say(question), ringing.say(reply))
        await asyncio.gather(hears(ringing, question), hears(call, reply))
        await call.hang_up()
        await ringing.ended(LONG)
        heard_by_boris, heard_by_anna = ringing.heard(), call.heard()
    offset, score = contains(heard_by_boris, question)
    assert score > 0.95
    assert 0 <= offset < waited + 1
    assert contains(heard_by_anna, reply)[1] > 0.95
    assert contains(heard_by_anna, question)[1] < 0.3
    assert (loudness(heard_by_boris[round(offset * RATE) :])[1:7] > 0.02).all()


async def test_the_headers_of_an_incoming_call_can_be_read(bare_asterisk: BareAsterisk) -> None:
    async with phone(bare_asterisk, "anna") as anna, phone(bare_asterisk, "boris") as boris:
        call = await anna.call("boris")
        ringing = await boris.incoming(LONG)
        assert ringing.header("x-google-client-id") == "1234567890.1700000000"
        assert ringing.caller_name == "Anna O'Brien"
        assert "+74951234567" in (ringing.header("Diversion") or "")
        await call.hang_up()


@pytest.mark.parametrize(
    "name", ['Ivan "the Great", \\ ${SHELL(id)}', "Мария ☎", "a;tag=b <sip:x@y>"]
)
async def test_a_caller_can_show_any_name_and_number(
    bare_asterisk: BareAsterisk, name: str
) -> None:
    stranger = Softphone("127.0.0.1", bare_asterisk.port, "visitor", "", register=False)
    async with stranger, phone(bare_asterisk, "boris") as boris:
        call = await stranger.call("100", caller_number="+79161234567", caller_name=name)
        ringing = await boris.incoming(LONG)
        assert ringing.caller_number == "+79161234567"
        # Asterisk does not undo the backslashes of a quoted name, and adds its own when it sends it
        # on.
        assert re.sub(r"\\(.)", r"\1", ringing.caller_name) == name
        await ringing.answer()
        await call.answered(LONG)
        await ringing.hang_up()
        await call.ended(LONG)


@pytest.mark.parametrize("status", [486, 403, 480, 503])
async def test_a_refused_call_ends_with_its_reason(
    bare_asterisk: BareAsterisk, status: int
) -> None:
    async with phone(bare_asterisk, "anna") as anna:
        call = await anna.call(str(status))
        with pytest.raises(CallRefused) as refused:
            await call.answered(LONG)
        assert refused.value.status == status
        assert call.state is CallState.ENDED


async def test_a_rejected_call_tells_the_caller_it_is_busy(bare_asterisk: BareAsterisk) -> None:
    async with phone(bare_asterisk, "anna") as anna, phone(bare_asterisk, "boris") as boris:
        call = await anna.call("boris")
        await (await boris.incoming(LONG)).reject()
        with pytest.raises(CallRefused) as refused:
            await call.answered(LONG)
        assert refused.value.status == 486


async def test_a_caller_who_gives_up_stops_the_ringing(bare_asterisk: BareAsterisk) -> None:
    async with phone(bare_asterisk, "anna") as anna, phone(bare_asterisk, "boris") as boris:
        call = await anna.call("boris")
        ringing = await boris.incoming(LONG)
        await call.ringing(LONG)
        await call.hang_up()
        await ringing.ended(LONG)
        assert (call.status, ringing.status) == (487, 487)
        with pytest.raises(CallNotUp):
            await ringing.answer()


async def test_the_other_side_may_hang_up_in_mid_sentence(bare_asterisk: BareAsterisk) -> None:
    async with phone(bare_asterisk, "anna") as anna, phone(bare_asterisk, "boris") as boris:
        call = await anna.call("boris")
        ringing = await boris.incoming(LONG)
        await ringing.answer()
        await call.answered(LONG)
        speaking = asyncio.create_task(call.say(from_pcap()))
        await ringing.hang_up()
        with pytest.raises(CallNotUp):
            await asyncio.wait_for(speaking, LONG)


async def test_a_call_outlives_the_32_seconds_after_which_an_unacknowledged_one_is_dropped(
    bare_asterisk: BareAsterisk,
) -> None:
    async with phone(bare_asterisk, "anna") as anna:
        call = await anna.call("600")
        await call.answered(LONG)
        with pytest.raises(TimeExpired):
            await call.ended(35)
        said = from_pcap()
        await call.say(said)
        await hears(call, said)
        await call.hang_up()


async def test_a_phone_answers_options_so_that_qualify_finds_it(
    bare_asterisk: BareAsterisk,
) -> None:
    async with phone(bare_asterisk, "anna"):
        async with asyncio.timeout(LONG):
            while "Avail" not in (shown := await bare_asterisk.command("pjsip show contacts")):
                assert "Unavail" not in shown
                await asyncio.sleep(0.1)


async def test_one_phone_holds_two_calls_at_once(bare_asterisk: BareAsterisk) -> None:
    first, second = (
        from_pcap()[:24000],
        spoken("Two calls at once, none heard in the other."),
    )
    async with phone(bare_asterisk, "anna") as anna:
        calls = [await anna.call("600"), await anna.call("600")]
        await asyncio.gather(*(call.answered(LONG) for call in calls))
        await asyncio.gather(calls[0].say(first), calls[1].say(second))
        await asyncio.gather(hears(calls[0], first), hears(calls[1], second))
        assert contains(calls[1].heard(), first)[1] < 0.3


async def test_a_wrong_password_is_not_taken_for_a_silent_server(
    bare_asterisk: BareAsterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RegistrationRefused):
        async with Softphone("127.0.0.1", bare_asterisk.port, "anna", "wrong"):
            pass
    monkeypatch.setattr(softphone, "PATIENCE", 0.5)
    with pytest.raises(ServerSilent):
        async with Softphone("127.0.0.1", free_port(), "anna", "secret-anna"):
            pass


async def test_no_thread_socket_or_registration_is_left(bare_asterisk: BareAsterisk) -> None:
    threads, sockets = set(threading.enumerate()), len(psutil.Process().net_connections())
    async with phone(bare_asterisk, "anna") as anna, phone(bare_asterisk, "boris") as boris:
        await anna.call("boris")
        await (await boris.incoming(LONG)).answer()
        await (await anna.call("600")).answered(LONG)
        assert len(set(threading.enumerate()) - threads) == 6
    assert set(threading.enumerate()) <= threads
    assert len(psutil.Process().net_connections()) == sockets
    assert "No objects found" in await bare_asterisk.command("pjsip show contacts")


async def test_silence_is_heard_as_silence(bare_asterisk: BareAsterisk) -> None:
    async with phone(bare_asterisk, "anna") as anna:
        call = await anna.call("600")
        await call.answered(LONG)
        async with asyncio.timeout(LONG):
            while len(heard := call.heard()) <= RATE:
                await asyncio.sleep(0.1)
    assert np.abs(heard).max() < 64


async def test_a_long_lived_phone_keeps_nothing_of_calls_that_ended(
    bare_asterisk: BareAsterisk,
) -> None:
    async with phone(bare_asterisk, "anna") as anna:
        idle = len(psutil.Process().net_connections())
        for _ in range(3):
            call = await anna.call("600")
            await call.answered(LONG)
            await call.hang_up()
            await call.released()
        assert len(psutil.Process().net_connections()) == idle


async def test_a_call_into_the_void_says_so_and_can_be_left_at_once() -> None:
    async with Softphone("127.0.0.1", free_port(), "visitor", "", register=False) as lost:
        with pytest.raises(ServerSilent):
            await lost.call("100", timeout=0.3)
