"""The database locked, Asterisk dead in mid-call, the worker dead in mid-encoding: each time
nothing is lost.
"""

import asyncio
import os
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from router.bootstrap import now
from router.domain.attribution.terms import Verdict
from router.domain.calls.call import Disposition, Ending, RecordingState, RoutedBy
from router.domain.delivery.delivery import DeliveryState
from router.domain.visitors.site import Destination, Step, TrackingNumber
from tests.acceptance import audio, sip
from tests.acceptance.calling import QUESTION, Voices, company_line, dial, somebody, the_call
from tests.acceptance.promises import crowd, expect_deliveries, facts_of, kept, visitors
from tests.acceptance.receiver import Receiver
from tests.acceptance.system import PARTS, STATIC, System, line, spool_names, system
from tests.support.standstill import Standstill

pytestmark = pytest.mark.asyncio(loop_scope="module")

DEADLINE = 0.3


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """A system whose static number is answered at the second line."""
    async with system(tmp_path_factory.mktemp("home")) as up:
        await up.put(
            Destination(
                id="second", name="Second", steps=(Step(dial="PJSIP/second"),), created_at=now()
            )
        )
        async with up.store.read() as session:
            number = await session.get(TrackingNumber, STATIC)
        await up.put(replace(number, destination_id="second"))
        line(up)
        await up.start(*PARTS)
        yield up


async def test_a_database_locked_for_ten_seconds_delays_no_call(
    running: System, receiver: Receiver, tmp_path: Path, voice: Voices
) -> None:
    everybody = await visitors(running, voice, 20)
    held = somebody(STATIC)
    first, second = sip.answers(0.2, speech=voice.company), sip.holds(pause=1.0)
    async with company_line(running, tmp_path, first, second=second) as (office, _):
        port = running.settings.sip_port
        async with (
            sip.caller(tmp_path / "held", port, held, host="127.0.0.2") as on_hold,
            crowd(running, tmp_path, everybody, rate=2) as callers,
        ):
            with locked(running.settings.home / "ringtrace.db"), Standstill() as still:
                known = len(await running.calls())
                await asyncio.sleep(10)
                assert len(await running.calls()) == known, "the lock is real"
            result = await callers.finished(180)
            assert (await on_hold.finished(180)).statuses == (200,)
        assert result.statuses == (200,) * 20
        delays = sip.post_dial_delays(result, await office.stop())
    calls = await kept(running, receiver, everybody, listen=(0, 9, -1))
    assert {call.routed_by for call in calls} == {RoutedBy.AGENT}
    assert sorted(delays.values())[len(delays) // 2] < DEADLINE + still.longest
    assert max(delays.values()) < 5 + still.longest  # the lock was there for ten
    call = await the_call(running, held)
    assert (call.verdict, call.routed_by) == (Verdict.STATIC, RoutedBy.AGENT)
    await expect_deliveries(running, receiver, [call])


async def test_a_call_cut_by_asterisks_death_is_closed_marked_and_heard_as_far_as_it_went(
    running: System, receiver: Receiver, tmp_path: Path, voice: Voices
) -> None:
    lease = await running.lease()
    who = somebody(lease.number, voice, talk=60.0)
    async with company_line(running, tmp_path, sip.answers(0.2, speech=voice.company)):
        async with sip.caller(
            tmp_path / "cut", running.settings.sip_port, who, host="127.0.0.2"
        ) as caller:
            await talked(running, who, 9.0)
            await running.kill("asterisk")
            killed_at = time.time()
            await running.start("asterisk")
            assert (await caller.stop(patience=0.1)).statuses == (200,)
        after = somebody(lease.number, voice)
        assert (await dial(running, tmp_path, after)).statuses == (200,)
    await kept(running, receiver, {after: lease}, listen=[0])
    call = await the_call(running, who, timeout=180)
    assert (call.ending, call.disposition) == (Ending.CUT, Disposition.ANSWERED)
    assert (call.verdict, call.lease_id) == (Verdict.EXACT, lease.id)
    assert call.ended_at is not None
    assert call.ended_at.timestamp() <= killed_at
    (recording,) = await running.recorded(call)
    assert recording.state is RecordingState.STORED
    sound = await running.listen(recording)
    said = QUESTION[: 4 * audio.RATE]  # what is newer may have died in Asterisk's buffer
    assert audio.contains(sound[:, 0].copy(), said)[1] > 0.9
    assert audio.contains(sound[:, 1].copy(), said)[1] < 0.4
    await expect_deliveries(running, receiver, [call])
    assert spool_names(running) == []


async def test_a_worker_killed_in_mid_encoding_leaves_one_whole_recording(
    running: System, receiver: Receiver, tmp_path: Path, voice: Voices
) -> None:
    everybody = await visitors(running, voice, 2)
    await running.stop("worker")
    with slow_ffmpeg(tmp_path / "bin") as started:
        await running.start("worker")
        async with (
            company_line(running, tmp_path, sip.answers(0.2, speech=voice.company)),
            crowd(running, tmp_path, everybody, rate=4) as callers,
        ):
            assert (await callers.finished(180)).statuses == (200, 200)

        async def encoding() -> bool:
            """The first one is encoded, and both calls' ends were sent: a death may send what is
            under way twice.
            """
            numbers = {who.number for who in everybody}
            mine = {call.id for call in await running.calls() if call.caller in numbers}
            expect_deliveries = [
                delivery for delivery in await running.deliveries() if delivery.call_id in mine
            ]
            return (
                started.exists()
                and [delivery.state for delivery in expect_deliveries] == [DeliveryState.DONE] * 2
            )

        await running.until(encoding, "nothing was encoded")
        await running.kill("worker")
    await running.start("worker")
    calls = await kept(running, receiver, everybody)
    for fact in await facts_of(running, calls):
        assert len(receiver.keys(fact)) == 1, "a busy machine may send it again, as the same"
    assert spool_names(running) == []
    assert not list((running.settings.home / "work").glob("*")), "no scratch file is left"


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """No other process can write."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        connection.rollback()
        connection.close()


@contextmanager
def slow_ffmpeg(directory: Path) -> Iterator[Path]:
    """Processes started now encode no faster than one speaks; the file appears when the first
    begins.
    """
    directory.mkdir()
    started, program = directory / "started", directory / "ffmpeg"
    program.write_text(f'#!/bin/sh\ntouch {started}\nexec {shutil.which("ffmpeg")} -re "$@"\n')
    program.chmod(0o755)
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{directory}:{before}"
    try:
        yield started
    finally:
        os.environ["PATH"] = before


async def talked(running: System, who: sip.Caller, seconds: float) -> None:
    """This caller has talked for so long."""

    async def look() -> bool:
        calls = [
            call for call in await running.calls() if call.caller == who.number and call.answered_at
        ]
        return bool(calls) and (now() - calls[0].answered_at).total_seconds() > seconds  # type: ignore[operator]

    await running.until(look, f"{who.number} did not talk")
