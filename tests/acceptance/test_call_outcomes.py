"""How calls come out: each reaches the company, is in the database once, with the right verdict,
and is audible.
"""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from router.domain.attribution.terms import Verdict
from router.domain.calls.call import Disposition, Ending, RecordingState, RoutedBy
from router.domain.visitors.site import Destination
from tests.acceptance import sip
from tests.acceptance.calling import Voices, company_line, dial, heard_whole, somebody, the_call
from tests.acceptance.system import System, spool_names

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_an_answered_call_is_attributed_recorded_and_heard_whole(
    running: System, tmp_path: Path, voice: Voices
) -> None:
    lease = await running.lease("1111.2222")
    who = somebody(lease.number, voice)
    async with company_line(running, tmp_path, sip.answers(0.5, speech=voice.company)):
        called = await dial(running, tmp_path, who)
        assert called.statuses == (200,)
    call = await the_call(running, who)
    assert (call.ending, call.disposition) == (Ending.ANSWERED, Disposition.ANSWERED)
    assert (call.verdict, call.lease_id, call.visitor_id) == (
        Verdict.EXACT,
        lease.id,
        lease.visitor_id,
    )
    assert (call.number, call.routed_by, call.answered_by) == (
        lease.number,
        RoutedBy.AGENT,
        "head-office",
    )
    assert 0.4 < call.wait_seconds < called.waited + 0.1
    assert 7.5 < call.talk_seconds < called.lasted
    assert [leg.role for leg in call.legs] == ["caller", "company"]
    recording = await heard_whole(running, call)
    assert recording.seconds is not None
    assert 6.9 < recording.seconds < call.talk_seconds + 0.3  # the caller fell silent after 7.1 s
    assert spool_names(running) == []


async def test_a_call_that_is_hung_up_at_once_has_no_recording_and_leaves_no_file(
    running: System, tmp_path: Path
) -> None:
    lease = await running.lease()
    who = somebody(lease.number, talk=0.1)
    async with company_line(running, tmp_path, sip.answers(0.2)):
        await dial(running, tmp_path, who)
    call = await the_call(running, who)
    assert call.ending is Ending.ANSWERED
    (recording,) = await running.recorded(call)
    assert recording.state is RecordingState.MISSING
    assert spool_names(running) == []
    assert not (running.settings.spool / "broken").exists()


@pytest.mark.parametrize(
    ("status", "ending", "told"),
    [("486 Busy Here", Ending.BUSY, 486), ("603 Decline", Ending.REFUSED, 603)],
)
async def test_a_busy_or_refusing_company_is_reported_to_the_caller(
    running: System, tmp_path: Path, status: str, ending: Ending, told: int
) -> None:
    lease = await running.lease()
    who = somebody(lease.number)
    async with company_line(running, tmp_path, sip.refuses(status)):
        called = await dial(running, tmp_path, who)
    call = await the_call(running, who)
    assert (call.ending, call.disposition, call.verdict) == (
        ending,
        Disposition.BUSY,
        Verdict.EXACT,
    )
    assert called.statuses[0] in {told, 403}  # Asterisk says 403 for what was declined
    assert [leg.step for leg in call.legs] == [0, 1], (
        "an answer, even this one, is not a line that is down"
    )
    (recording,) = await running.recorded(call)
    assert recording.state is RecordingState.DISCARDED
    assert spool_names(running) == []


async def test_a_call_is_not_answered(running: System, tmp_path: Path) -> None:
    lease = await running.lease()
    who = somebody(lease.number)
    async with running.store.read() as session:
        plain = await session.get(Destination, "office")
    try:
        await running.direct(
            replace(plain, steps=tuple(replace(step, ring_seconds=6) for step in plain.steps))
        )
        async with company_line(running, tmp_path, sip.rings_for_ever()):
            called = await dial(running, tmp_path, who)
    finally:
        await running.direct(plain)
    call = await the_call(running, who)
    assert (call.ending, call.disposition) == (Ending.NO_ANSWER, Disposition.NO_ANSWER)
    assert 5.5 < call.wait_seconds < called.waited + 0.1
    async with running.store.read() as session:
        tags = await session.tags.of([call.id])
    assert [tag.name for tag in tags[call.id]] == ["missed"]


async def test_a_caller_gives_up_while_it_rings(running: System, tmp_path: Path) -> None:
    lease = await running.lease()
    who = somebody(lease.number, abandon_after=1.5)
    async with company_line(running, tmp_path, sip.rings_for_ever()):
        await dial(running, tmp_path, who)
    call = await the_call(running, who)
    assert call.ending is Ending.ABANDONED_RINGING
    assert call.answered_at is None


async def test_when_the_company_line_is_down_the_next_answers(
    running: System, tmp_path: Path, voice: Voices
) -> None:
    lease = await running.lease()
    who = somebody(lease.number, voice)
    down, up = sip.refuses("503 Service Unavailable"), sip.answers(0.2, speech=voice.company)
    async with company_line(running, tmp_path, down, second=up):
        await dial(running, tmp_path, who)
    call = await the_call(running, who)
    assert (call.ending, call.answered_by) == (Ending.ANSWERED, "second")
    assert [leg.step for leg in call.legs] == [0, 1, 2]
    await heard_whole(running, call)


async def test_a_phone_that_is_not_there_leaves_the_call_to_the_next(
    running: System, tmp_path: Path
) -> None:
    lease = await running.lease()
    who = somebody(lease.number, talk=1.0)
    away = replace(sip.refuses("480 Temporarily Unavailable"), first="")
    async with company_line(running, tmp_path, away, second=sip.answers(0.1)):
        await dial(running, tmp_path, who)
    call = await the_call(running, who)
    assert (call.ending, call.answered_by) == (Ending.ANSWERED, "second")


async def test_a_caller_gives_up_while_the_line_plays_its_own_ringing(
    running: System, tmp_path: Path
) -> None:
    lease = await running.lease()
    who = somebody(lease.number, abandon_after=1.5)
    async with company_line(running, tmp_path, replace(sip.rings_for_ever(), first="progress")):
        await dial(running, tmp_path, who)
    call = await the_call(running, who)
    assert call.ending is Ending.ABANDONED_RINGING
    async with running.store.read() as session:
        assert [tag.name for tag in (await session.tags.of([call.id]))[call.id]] == ["missed"]


async def test_when_nothing_can_be_reached_the_call_says_so(
    running: System, tmp_path: Path
) -> None:
    lease = await running.lease()
    who = somebody(lease.number)
    down = sip.refuses("503 Service Unavailable")
    async with company_line(running, tmp_path, down, second=down):
        await dial(running, tmp_path, who)
    call = await the_call(running, who)
    assert (call.ending, call.disposition) == (Ending.UNREACHABLE, Disposition.CONGESTION)


@pytest.mark.parametrize("numbers", [1, 20])
async def test_twenty_calls_at_once(
    running: System, tmp_path: Path, voice: Voices, numbers: int
) -> None:
    leases = (
        [await running.lease(f"{i}.{i}") for i in range(1, 21)]
        if numbers > 1
        else [await running.lease()] * 20
    )
    everybody = [somebody(lease.number, voice) for lease in leases]
    async with company_line(running, tmp_path, sip.answers(0.3, speech=voice.company)):
        crowd = sip.callers(
            tmp_path / "crowd", running.settings.sip_port, everybody, rate=20, host="127.0.0.2"
        )
        async with crowd:
            result = await crowd.finished(180)
        assert (result.ok, result.failed) == (20, 0)
    calls = [await the_call(running, who) for who in everybody]
    assert [call.lease_id for call in calls] == [lease.id for lease in leases]
    assert {call.routed_by for call in calls} == {RoutedBy.AGENT}
    await asyncio.gather(*(heard_whole(running, call) for call in calls[:3]))
    assert {r.state for r in await running.recorded(*calls, timeout=180)} == {RecordingState.STORED}


async def test_the_client_id_and_the_source_reach_the_companys_telephony(
    running: System, tmp_path: Path
) -> None:
    async with running.store.read() as session:
        plain = await session.get(Destination, "office")
    seven = tuple(replace(step, ring_seconds=7) for step in plain.steps)
    try:
        await running.direct(replace(plain, send_client_id=True, send_source=True, steps=seven))
        lease = await running.lease(
            "1234.5678", source="google", campaign="Осенняя ${SHELL(id)}|^~, sale"
        )
        who = somebody(lease.number, name="Anna", talk=1.0)
        async with company_line(running, tmp_path, sip.answers(0.1)) as (office,):
            await dial(running, tmp_path, who)
            (invite,) = (await office.stop()).invites
    finally:
        await running.direct(plain)
    assert invite.header("X-Google-Client-ID") == "1234.5678"
    assert invite.header("From").startswith('"Осенняя SHELL(id) sale Anna"')
    assert lease.number in (invite.header("Diversion") or "")


async def test_neither_reaches_it_unless_the_destination_wants_it(
    running: System, tmp_path: Path
) -> None:
    lease = await running.lease("1234.5678", source="google")
    who = somebody(lease.number, name="Anna", talk=1.0)
    async with company_line(running, tmp_path, sip.answers(0.1)) as (office,):
        await dial(running, tmp_path, who)
        (invite,) = (await office.stop()).invites
    assert invite.header("X-Google-Client-ID") is None
    assert invite.header("From").startswith('"Anna"')
