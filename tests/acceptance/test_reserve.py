"""The disk of the CEL log and the database runs short: recordings leave room, and calls leave a
trace.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from router.domain.calls.call import Call, Ending, RecordingState
from tests.acceptance import sip
from tests.acceptance.calling import Voices, company_line, dial, somebody, the_call
from tests.acceptance.system import PARTS, System, line, spool_names, system
from tests.acceptance.test_full_disks import filled, small_disk

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(
        os.geteuid() != 0, reason="only root may mount the small disk that is to run full"
    ),
]

MB = 1024 * 1024
RESERVE_MB = 40


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """A system whose home, with everything in it, is a small disk."""
    home = tmp_path_factory.mktemp("disk") / "home"
    with small_disk(home, 100 * MB):
        async with system(home, spool_free_mb=RESERVE_MB) as up:
            line(up)
            await up.start(*PARTS)
            yield up


async def one_call(running: System, work: Path, voice: Voices, *, talk: float) -> Call:
    """A call that the company answers, as it is known in the end."""
    work.mkdir()
    who = somebody((await running.lease()).number, voice, talk=talk)
    async with company_line(running, work, sip.answers(0.2, speech=voice.company)):
        assert (await dial(running, work, who)).statuses == (200,)
    return await the_call(running, who, timeout=180)


async def test_below_the_reserve_calls_go_on_unrecorded_and_above_it_they_are_recorded(
    running: System, tmp_path: Path, voice: Voices
) -> None:
    with filled(running.settings.home, room=30 * MB):
        await running.until(
            lambda: _records(running, False), "Asterisk was not asked to record nothing"
        )
        call = await one_call(running, tmp_path / "short", voice, talk=2.0)
        (recording,) = await running.recorded(call)
        assert spool_names(running) == []
    assert (call.ending, recording.state) == (Ending.ANSWERED, RecordingState.MISSING)
    await running.until(lambda: _records(running, True), "recording did not begin again")
    call = await one_call(running, tmp_path / "enough", voice, talk=4.0)
    (recording,) = await running.recorded(call)
    assert recording.state is RecordingState.STORED


async def _records(running: System, wanted: bool) -> bool:
    """Whether the dialplan records now."""
    sign = running.settings.answers / "unrecorded"
    short = sign.exists() and time.time() - sign.stat().st_mtime < 12  # the dialplan asks for 10
    return short is not wanted


async def test_a_recording_under_way_is_ended_while_the_call_goes_on(
    running: System, tmp_path: Path, voice: Voices
) -> None:
    who = somebody((await running.lease()).number, voice, talk=8.0)
    async with company_line(running, tmp_path, sip.answers(0.2, speech=voice.company)):
        calling = asyncio.create_task(dial(running, tmp_path, who))

        async def recorded() -> bool:
            sizes = [path.stat().st_size for path in running.settings.spool.glob("*-caller.sln")]
            return any(size > 16_000 for size in sizes)

        await running.until(recorded, "nothing was recorded")
        with filled(running.settings.home, room=RESERVE_MB * MB // 2 - 4 * MB):
            assert (await calling).statuses == (200,)
    call = await the_call(running, who)
    (recording,) = await running.recorded(call)
    assert recording.state is RecordingState.STORED
    assert recording.seconds is not None
    assert recording.seconds < call.talk_seconds - 2


async def test_an_answered_call_leaves_a_trace_while_the_disk_of_everything_is_full(
    running: System, tmp_path: Path, voice: Voices
) -> None:
    callers = [somebody((await running.lease()).number, voice, talk=1.0) for _ in range(2)]
    async with company_line(running, tmp_path, sip.answers(0.2, speech=voice.company)):
        with filled(running.settings.home, room=0):
            for count, who in enumerate(callers):
                (tmp_path / str(count)).mkdir()
                assert (await dial(running, tmp_path / str(count), who)).statuses == (200,)
    first, second = [await the_call(running, who, timeout=180) for who in callers]
    assert first.ended_at is not None  # some of its rows may still have found a place
    assert second.ending is Ending.NOT_LOGGED
    assert (second.number, second.site_id, second.destination_id) == (
        callers[1].did,
        "shop",
        "office",
    )
