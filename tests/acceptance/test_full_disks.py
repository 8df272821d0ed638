"""A disk without room: calls go on and are known, what could not be recorded says why, and nothing
crashes.
"""

import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import pytest_asyncio

from router.domain.attribution.terms import Verdict
from router.domain.calls.call import Call, Ending, Recording, RecordingState
from tests.acceptance import sip
from tests.acceptance.calling import Voices, company_line, dial, heard_whole, somebody, the_call
from tests.acceptance.promises import expect_deliveries, kept
from tests.acceptance.receiver import Receiver
from tests.acceptance.system import PARTS, System, line, spool_names, system

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(
        os.geteuid() != 0, reason="only root may mount the small disks that are to run full"
    ),
]

DISK_BYTES = 4 * 1024 * 1024
SECOND_BYTES = 16_000  # of one side of a recording in the spool


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """A system whose spool and storage are disks of their own."""
    home = tmp_path_factory.mktemp("home")
    with small_disk(home / "spool"), small_disk(home / "recordings"):
        async with system(
            home, spool_free_mb=0
        ) as up:  # no room is reserved: what happens when there is none
            line(up)
            await up.start(*PARTS)
            yield up


async def test_a_call_that_cannot_be_recorded_goes_on_and_says_why(
    running: System, receiver: Receiver, tmp_path: Path, voice: Voices
) -> None:
    with filled(running.settings.spool, room=0):
        call = await one_call(running, tmp_path, voice, talk=3.0)
        (recording,) = await running.recorded(call)
    assert recording.state in {RecordingState.MISSING, RecordingState.BROKEN}
    assert "disk was full" in str(recording.reason)
    await expect_deliveries(running, receiver, [call])


async def test_a_call_for_which_the_room_ends_is_kept_as_far_as_it_went(
    running: System, receiver: Receiver, tmp_path: Path, voice: Voices
) -> None:
    with filled(running.settings.spool, room=5 * SECOND_BYTES):
        call = await one_call(running, tmp_path, voice)
        (recording,) = await running.recorded(call)
    assert recording.state is RecordingState.STORED
    assert recording.seconds is not None
    assert 1.0 < recording.seconds < call.talk_seconds / 2
    assert "less than half of the talk time" in map(str, recording.warnings)
    await expect_deliveries(running, receiver, [call])


async def test_when_there_is_room_again_recordings_are_whole(
    running: System, receiver: Receiver, tmp_path: Path, voice: Voices
) -> None:
    with filled(running.settings.spool, room=0):
        pass
    await heard_whole(running, await one_call(running, tmp_path, voice))
    assert spool_names(running) == []


async def test_a_full_storage_leaves_the_recording_in_the_spool_until_there_is_room(
    running: System, receiver: Receiver, tmp_path: Path, voice: Voices
) -> None:
    lease = await running.lease()
    who = somebody(lease.number, voice)
    with filled(running.settings.home / "recordings", room=0):
        async with company_line(running, tmp_path, sip.answers(0.2, speech=voice.company)):
            assert (await dial(running, tmp_path, who)).statuses == (200,)
        call = await the_call(running, who)
        waiting = await postponed(running, call)
        assert "no space left" in str(waiting.reason)
        assert len(spool_names(running)) == 2
    await kept(running, receiver, {who: lease}, listen=[0])
    assert spool_names(running) == []


async def one_call(running: System, work: Path, voice: Voices, *, talk: float = 8.0) -> Call:
    """A call that reaches the company and is known, whatever the disks do."""
    lease = await running.lease()
    who = somebody(lease.number, voice, talk=talk)
    async with company_line(running, work, sip.answers(0.2, speech=voice.company)):
        assert (await dial(running, work, who)).statuses == (200,)
    call = await the_call(running, who)
    assert (call.ending, call.verdict, call.lease_id) == (Ending.ANSWERED, Verdict.EXACT, lease.id)
    assert call.talk_seconds > talk - 1
    return call


async def postponed(running: System, call: Call) -> Recording:
    """The recording, after it was tried and put off."""

    async def look() -> Recording | None:
        async with running.store.read() as session:
            recording = await session.peek(Recording, call.id)
        return recording if recording and recording.attempts else None

    return await running.until(look, "the recording was not tried")


@contextmanager
def small_disk(place: Path, size: int = DISK_BYTES) -> Iterator[None]:
    """A file system of its own."""
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)],
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextmanager
def filled(place: Path, *, room: int) -> Iterator[None]:
    """A disk with so many bytes left."""
    ballast, free = place / ".ballast", os.statvfs(place)
    with suppress(OSError):  # something else was written meanwhile: it is full all the same
        ballast.write_bytes(bytes(free.f_bavail * free.f_frsize - room))
    try:
        yield
    finally:
        ballast.unlink()
