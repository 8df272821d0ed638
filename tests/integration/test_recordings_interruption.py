"""What the recorder does when it is killed, when the disk is full, and when a call lasts three
hours.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recordings import Recording, SpoolPair, Storage, recall, store_pair
from recordings.encoding import Encoder
from recordings.errors import DiskFull, Retryable, SpoolBusy
from tests.support.recordings_sounds import babble, spool_pair, tone

NAME = "pbx-1768912345.42"
KEY = f"2026/11/22/{NAME}.mp3"
# VmHWM and not ru_maxrss, which begins at the size of the process that started this one.
HIGH_WATER = """
def high_water():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""
WORKER = (
    HIGH_WATER
    + """
import json, resource, sys
from pathlib import Path
from recordings import Storage, SpoolPair, store_pair
from recordings.encoding import Encoder
from recordings.errors import RecordingError
root, limit = Path(sys.argv[1]), int(sys.argv[2])
storage = Storage.open(root / "storage")
pair = SpoolPair(directory=root / "spool", name=sys.argv[3])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
print("ready", flush=True)
try:
    recording = store_pair(pair, storage=storage, key=sys.argv[4], work_dir=root / "work")
    print(json.dumps({"sha256": recording.sha256, "kilobytes": high_water()}))
except RecordingError as error:
    print(json.dumps({"error": type(error).__name__}))
"""
)
METER = (
    HIGH_WATER
    + """
import json, sys
from pathlib import Path
from recordings.audio_analyzer import AudioAnalyzer
from recordings.spool import SpoolPair, opened
meter = AudioAnalyzer()
with opened(SpoolPair(directory=Path(sys.argv[1]), name=sys.argv[2])) as audio:
    for block in audio.blocks():
        meter.add(*block)
reading = meter.read()
print(json.dumps({
    "kilobytes": high_water(),
    "speech": reading.caller.speech_seconds,
    "longest_silence": reading.company.longest_silence_seconds,
    "peaks": len(reading.peaks[0]),
}))
"""
)


def worker(
    root: Path, *, limit: int = 0, name: str = NAME, key: str = KEY, programs: Path | None = None
) -> "subprocess.Popen[str]":
    """Start a recorder of its own; it has said "ready" when this returns. `programs` are found
    before others.
    """
    command = [sys.executable, "-c", WORKER, str(root), str(limit), name, key]
    places = {"PATH": f"{programs}:{os.environ['PATH']}"} if programs else {}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, **places}
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def answer(process: "subprocess.Popen[str]") -> dict[str, Any]:
    out, _ = process.communicate(timeout=100)
    return json.loads(out)


def again(root: Path, pair: SpoolPair) -> Recording:
    """Once more, as the worker would: the lock of one that was killed outlives it in a child that
    it just began.
    """
    deadline = time.monotonic() + 60
    while True:
        try:
            return store_pair(
                pair, storage=Storage.open(root / "storage"), key=KEY, work_dir=root / "work"
            )
        except SpoolBusy:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def slow_ffmpeg(directory: Path) -> Path:
    """Where an ffmpeg lies that takes fifteen seconds for five minutes."""
    directory.mkdir()
    program = directory / "ffmpeg"
    program.write_text(f'#!/bin/sh\nexec {shutil.which("ffmpeg")} -readrate 20 "$@"\n')
    program.chmod(0o755)
    return directory


def files_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.rglob("*") if path.is_file())


def test_killed_in_mid_encoding_it_is_done_again_from_an_untouched_spool(tmp_path: Path) -> None:
    pair = spool_pair(tmp_path / "spool", babble(300), tone(300))
    process = worker(tmp_path, programs=slow_ffmpeg(tmp_path / "bin"))
    scratch = tmp_path / "work" / f"{NAME}.part.mp3"
    while not (scratch.exists() and scratch.stat().st_size > 10_000):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert len(pair.files()) == 2
    assert files_in(tmp_path / "storage") == []
    recording = again(tmp_path, pair)
    assert recording.seconds == 300
    assert files_in(tmp_path / "storage") == [f"{NAME}.mp3", f"{NAME}.mp3.json"]
    assert files_in(tmp_path / "work") == files_in(tmp_path / "spool") == []


def test_an_ffmpeg_that_outlived_its_killed_parent_does_not_write_into_the_next_try(
    tmp_path: Path,
) -> None:
    scratch = tmp_path / "x.part.mp3"
    with scratch.open("wb") as orphan:
        Encoder().encode([(tone(1), babble(1))], to=scratch, seconds=1)
        orphan.write(b"rubbish")
    assert b"rubbish" not in scratch.read_bytes()


def test_killed_at_any_moment_the_recording_is_in_the_spool_or_in_the_storage(
    tmp_path: Path,
) -> None:
    wanted = store_pair(
        spool_pair(tmp_path / "spool", babble(20), tone(20)),
        storage=Storage.open("memory:///"),
        key=KEY,
        work_dir=tmp_path / "work",
    )
    moments = random.Random(7)
    for _ in range(10):
        pair = spool_pair(tmp_path / "spool", babble(20), tone(20))
        process = worker(tmp_path)
        try:
            process.wait(timeout=moments.uniform(0, 0.4))
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        assert len(pair.files()) == 2 or recall(Storage.open(tmp_path / "storage"), KEY) == wanted
        assert again(tmp_path, pair) == wanted
        assert files_in(tmp_path / "work") == files_in(tmp_path / "spool") == []


def test_a_worker_that_reaches_the_limit_of_its_disk_leaves_the_spool_untouched(
    tmp_path: Path,
) -> None:
    pair = spool_pair(tmp_path / "spool", babble(60), tone(60))
    assert answer(worker(tmp_path, limit=100_000)) == {"error": "DiskFull"}
    assert len(pair.files()) == 2
    assert files_in(tmp_path / "storage") == files_in(tmp_path / "work") == []
    assert again(tmp_path, pair).seconds == 60


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 200 KB; only root may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", disk], capture_output=True
    ).returncode:
        pytest.skip("this user may not mount a file system (the file size limit is tested without)")
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize("full", ["work", "storage"])
def test_a_full_disk_is_reported_and_leaves_nothing_half_done(
    full: str, tmp_path: Path, small_disk: Path
) -> None:
    pair = spool_pair(tmp_path / "spool", babble(60), tone(60))
    places = {"work": tmp_path / "work", "storage": tmp_path / "storage", full: small_disk}
    with pytest.raises(DiskFull, match="nothing was lost") as told:
        store_pair(pair, storage=Storage.open(places["storage"]), key=KEY, work_dir=places["work"])
    assert isinstance(told.value, Retryable)
    assert len(pair.files()) == 2
    assert files_in(places["work"]) == files_in(places["storage"]) == []


def test_memory_stays_flat_however_long_the_encoded_call_is(tmp_path: Path) -> None:
    peaks = []
    for minutes in (1, 30):
        pair = SpoolPair(directory=tmp_path / "spool", name=f"call-{minutes}")
        sparse(pair, minutes * 60)
        peaks.append(answer(worker(tmp_path, name=pair.name, key=f"{pair.name}.mp3"))["kilobytes"])
    assert peaks[1] - peaks[0] < 20_000  # the samples alone would be 57,600


def test_a_call_of_three_hours_is_measured_in_flat_memory(tmp_path: Path) -> None:
    pair = SpoolPair(directory=tmp_path, name="long")
    sparse(pair, 3 * 3600)
    with pair.caller.open("r+b") as file:
        for hour in (0, 1, 2):
            file.seek(hour * 3600 * 16_000 + 600 * 16_000)
            file.write(babble(30).tobytes())
    out = subprocess.run(
        [sys.executable, "-c", METER, str(tmp_path), pair.name], check=True, capture_output=True
    ).stdout
    facts = json.loads(out)
    assert facts["speech"] == pytest.approx(90, abs=1)
    assert facts["longest_silence"] == 3 * 3600
    assert facts["peaks"] == 1000
    # numpy alone takes a good part; the samples would be 345,600
    assert facts["kilobytes"] < 150_000


def sparse(pair: SpoolPair, seconds: int) -> None:
    """Make a silent pair that takes no room on the disk."""
    pair.directory.mkdir(parents=True, exist_ok=True)
    for path in (pair.caller, pair.company):
        path.touch()
        os.truncate(path, seconds * 16_000)
