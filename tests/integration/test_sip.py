"""The SIPp far ends against a real Asterisk: each does what its name says, and is heard doing
it.
"""

from __future__ import annotations  # the plugin must not be imported before pytest rewrites it

import asyncio
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.acceptance import sip
from tests.acceptance.audio import RATE, Samples, contains, from_pcap, from_sln, spoken, to_alaw
from tests.acceptance.whole_sound import faults, spoken_frames
from tests.bench.sip_pair import SipPair

if TYPE_CHECKING:
    from tests.integration.bare_asterisk import BareAsterisk

pytest_plugins = ["tests.integration.bare_asterisk"]
QUESTION = from_pcap()
CALLER, COMPANY, SENT = 1, 2, 350  # who says how many numbered frames


@pytest.fixture
def question(tmp_path: Path) -> Path:
    return to_alaw(QUESTION, tmp_path / "question.alaw")


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    return to_alaw(spoken_frames(CALLER, SENT), tmp_path / "frames.alaw")


async def test_caller_and_company_are_heard_whole_each_on_its_own_side(
    bare_asterisk: BareAsterisk, tmp_path: Path, frames: Path
) -> None:
    greeting = to_alaw(spoken_frames(COMPANY, SENT), tmp_path / "greeting.alaw")
    line = sip.answers(0.3, speech=greeting)
    async with sip.company(tmp_path / "company", bare_asterisk.port, line) as company:
        await bare_asterisk.line(200, company.port)
        caller = sip.caller(
            tmp_path / "caller", bare_asterisk.port, sip.Caller(did="200", talk=8, speech=frames)
        )
        async with caller:
            called = await caller.finished(180)
        took = await company.stop()
    assert (called.attempted, called.ok, called.failed, called.statuses) == (1, 1, 0, (200,))
    assert (took.statuses, [invite.dialled for invite in took.invites]) == ((200,), ["200"])
    heard, said = (
        from_sln(bare_asterisk.home / "200-caller.sln"),
        from_sln(bare_asterisk.home / "200-company.sln"),
    )
    assert faults(heard, CALLER, SENT) == []
    assert faults(said, COMPANY, SENT) == []


async def test_an_echoing_line_sends_the_callers_voice_back(
    bare_asterisk: BareAsterisk, tmp_path: Path, frames: Path
) -> None:
    async with sip.company(
        tmp_path / "company", bare_asterisk.port, sip.answers(0.1, echo=True)
    ) as company:
        await bare_asterisk.line(200, company.port)
        caller = sip.caller(
            tmp_path / "caller", bare_asterisk.port, sip.Caller(did="200", talk=8, speech=frames)
        )
        async with caller:
            await caller.finished(180)
    assert faults(from_sln(bare_asterisk.home / "200-company.sln"), CALLER, SENT) == []


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("486 Busy Here", 486),
        ("603 Decline", 403),
        ("503 Service Unavailable", 503),
        ("404 Not Found", 404),
    ],
)
async def test_a_refusal_reaches_the_caller(
    bare_asterisk: BareAsterisk, tmp_path: Path, answer: str, told: int
) -> None:
    async with sip.company(
        tmp_path / "company", bare_asterisk.port, sip.refuses(answer, 0.1)
    ) as company:
        await bare_asterisk.line(200, company.port)
        async with sip.caller(
            tmp_path / "caller", bare_asterisk.port, sip.Caller(did="200")
        ) as caller:
            called = await caller.finished(180)
        took = await company.stop()
    assert called.statuses == (told,)
    assert (called.ok, called.failed) == (0, 1)
    assert took.statuses == (int(answer[:3]),)


async def test_a_caller_who_gives_up_stops_a_line_that_rings_for_ever(
    bare_asterisk: BareAsterisk, tmp_path: Path
) -> None:
    async with sip.company(
        tmp_path / "company", bare_asterisk.port, sip.rings_for_ever()
    ) as company:
        await bare_asterisk.line(200, company.port)
        who = sip.Caller(did="200", abandon_after=1.0)
        async with sip.caller(tmp_path / "caller", bare_asterisk.port, who) as caller:
            called = await caller.finished(180)
        took = await company.stop()
    assert (called.ok, called.statuses) == (1, (487,))
    assert took.statuses == (487,)


async def test_a_line_that_hangs_up_ends_the_call(
    bare_asterisk: BareAsterisk, tmp_path: Path
) -> None:
    async with sip.company(
        tmp_path / "company", bare_asterisk.port, sip.answers(0.1, talk=1.0)
    ) as company:
        await bare_asterisk.line(200, company.port)
        async with sip.caller(
            tmp_path / "caller", bare_asterisk.port, sip.Caller(did="200", talk=60)
        ) as caller:
            called = await caller.finished(180)
    assert called.ok == 1
    assert any(not m.sent and m.first.startswith("BYE ") for m in called.messages)


async def test_a_held_caller_is_taken_back(
    bare_asterisk: BareAsterisk, tmp_path: Path, question: Path
) -> None:
    async with sip.company(
        tmp_path / "company", bare_asterisk.port, sip.holds(question, 1.0)
    ) as company:
        await bare_asterisk.line(200, company.port)
        async with sip.caller(
            tmp_path / "caller", bare_asterisk.port, sip.Caller(did="200", talk=6)
        ) as caller:
            called = await caller.finished(180)
        took = await company.stop()
    offers = [
        m.text.rpartition("a=")[2].strip()
        for m in took.messages
        if m.sent and m.first[:6] == "INVITE"
    ]
    assert offers == ["sendonly", "sendrecv"]
    assert (called.ok, took.failed) == (1, 0)


async def is_recorded(path: Path, speech: Samples) -> None:
    """Wait until the end of the speech is in the file; half a minute where an Asterisk keeps it to
    itself until the call ends.
    """
    end = speech[-RATE:]
    with suppress(TimeoutError):
        async with asyncio.timeout(30):
            while not path.exists() or contains(from_sln(path), end)[1] < 0.9:
                await asyncio.sleep(0.2)


@pytest.mark.parametrize("kind", [sip.transfers_blind, sip.transfers_attended])
async def test_a_transferred_caller_speaks_with_the_colleague(
    bare_asterisk: BareAsterisk, tmp_path: Path, kind: object
) -> None:
    assert callable(kind)
    greeting = spoken("The colleague speaks now, with a voice that nobody else has on this call.")
    colleague_line = sip.answers(0.3, speech=to_alaw(greeting, tmp_path / "colleague.alaw"))
    async with (
        sip.company(tmp_path / "company", bare_asterisk.port, kind("201")) as company,
        sip.company(tmp_path / "colleague", bare_asterisk.port, colleague_line) as colleague,
    ):
        await bare_asterisk.line(200, company.port)
        await bare_asterisk.line(201, colleague.port)
        async with sip.caller(
            tmp_path / "caller", bare_asterisk.port, sip.Caller(did="200", talk=180)
        ) as caller:
            await is_recorded(bare_asterisk.home / "200-company.sln", greeting)
            await bare_asterisk.command("channel request hangup all")
            called = await caller.finished(180)
        transferred, took = await company.stop(), await colleague.stop()
    assert (called.ok, transferred.failed, took.failed) == (1, 0, 0), (called, transferred, took)
    assert took.statuses == (200,)
    spoken_to_caller = from_sln(bare_asterisk.home / "200-company.sln")
    assert contains(spoken_to_caller, greeting)[1] > (0.95 if kind is sip.transfers_blind else 0.4)


@pytest.mark.parametrize(
    "name",
    [
        "",
        'a "b", \\c; d',
        "${SHELL(id)} $[1+1] [call_id] ]]>",
        "☎ Мария",
        "x" * 500,
        "a\r\n b\r\n\tc",
        "%0d%0aX: y",
    ],
)
async def test_a_hostile_name_arrives_as_it_was_written(tmp_path: Path, name: str) -> None:
    async with sip.company(tmp_path / "company", 9, sip.refuses()) as company:
        async with sip.caller(
            tmp_path / "caller", company.port, sip.Caller(did="200", name=name)
        ) as caller:
            await caller.finished(180)
        took = await company.stop()
    shown = f'"{name}" ' if name else ""
    assert f"\r\nFrom: {shown}<sip:+79161234567@127.0.0.1>;tag=" in took.invites[0].text
    assert took.statuses == (486,)


async def test_the_number_dialled_may_be_in_to_or_in_called_party(tmp_path: Path) -> None:
    who = sip.Caller(
        did="account", to="+74951112233", called_party="+74954445566", headers=("X-Test: [1]",)
    )
    async with sip.company(tmp_path / "company", 9, sip.refuses()) as company:
        async with sip.caller(tmp_path / "caller", company.port, who) as caller:
            await caller.finished(180)
        (invite,) = (await company.stop()).invites
    assert invite.dialled == "account"
    assert "sip:+74951112233@" in (invite.header("To") or "")
    assert invite.header("P-Called-Party-ID") == "<sip:+74954445566@127.0.0.1>"
    assert invite.header("X-Test") == "[1]"


async def test_a_company_line_answers_options(tmp_path: Path) -> None:
    async with sip.company(tmp_path / "company", 9, sip.answers()) as company:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            probe.settimeout(180)
            here = f"127.0.0.1:{probe.getsockname()[1]}"
            text = (
                f"OPTIONS sip:127.0.0.1:{company.port} SIP/2.0\r\nVia: SIP/2.0/UDP "
                f"{here};branch=z9hG4bK1\r\n"
                f"From: <sip:x@{here}>;tag=1\r\nTo: <sip:y@{here}>\r\nCall-ID: 1\r\nCSeq: 1 "
                "OPTIONS\r\n"
                f"Contact: <sip:{here}>\r\nContent-Length: 0\r\n\r\n"
            )
            probe.sendto(text.encode(), ("127.0.0.1", company.port))
            assert (await asyncio.to_thread(probe.recv, 4096)).startswith(b"SIP/2.0 200 OK")
        assert (await company.stop()).invites == ()


async def test_many_callers_are_distinguished_and_their_delays_measured(
    bare_asterisk: BareAsterisk, tmp_path: Path
) -> None:
    rows = [
        sip.Caller(did="200", number=f"+7916{n:07}", name=f"No. {n}", talk=1) for n in range(100)
    ]
    async with sip.company(tmp_path / "company", bare_asterisk.port, sip.answers(0.01)) as company:
        await bare_asterisk.line(200, company.port)
        async with sip.callers(tmp_path / "callers", bare_asterisk.port, rows, rate=50) as callers:
            called = await callers.finished(180)
        took = await company.stop()
    assert (called.attempted, called.ok, called.failed) == (100, 100, 0)
    delays = sip.post_dial_delays(called, took)
    assert delays.keys() == {row.number for row in rows}
    # SIPp notes a message's time when it comes to handle it: on a busy machine a single one is
    # noted too late
    assert 0 < sorted(delays.values())[50] < 1


async def test_the_pair_measures_a_hundred_calls_a_second_from_end_to_end(
    bare_asterisk: BareAsterisk,
) -> None:
    async with SipPair(bare_asterisk.port) as pair:
        await bare_asterisk.line(300, pair.company_port)
        result = await pair.run(["300"], rate=100, calls=300, talk=0.2)
        refused = await pair.run(["486"], rate=50, calls=10)
    print(
        f"median {result.delay(0.5) * 1000:.2f} ms, p99 {result.delay(0.99) * 1000:.2f} ms, "
        f"lag {result.lag:.4f}"
    )
    assert result.good == len(result.delays) == 300
    assert 0 < result.delay(0.5) < 1
    assert result.delay(0.5) <= result.delay(0.99)
    assert ({call.status for call in refused.calls}, refused.good, refused.delays) == ({486}, 0, [])
