"""What our whole encode step costs beside ffmpeg alone making the same file of the same spool pair.

Both run in turn within one process, and medians are compared, so that the machine's mood falls on
both alike. "ours" reads the pair, joins, encodes, measures both sides and takes the SHA-256;
"stored" also puts the file on a local storage, syncs it to the disk, reads it back, and empties the
spool.
"""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from recordings import SpoolPair, Storage, store_pair
from recordings.encoding import Encoder
from recordings.spool import opened
from recordings.storing import encode_pair
from tests.bench.figure import Figure

MINUTES = {1: 9, 10: 5}  # length of the call: repeats
MINUTES_QUICK = {1: 3}
AIM = 0.8
_TEXTS = {
    "caller": "Good afternoon. What would eight windows cost, and "
    "how soon could you come and measure "
    "them?",
    "company": "Good afternoon, one moment please. Our fitter is free "
    "on Thursday, does ten o'clock suit?",
}


def measure(*, quick: bool) -> list[Figure]:
    """One figure for each length of call."""
    lengths = MINUTES_QUICK if quick else MINUTES
    with tempfile.TemporaryDirectory() as directory:
        rows = [_measure(Path(directory), minutes, repeats) for minutes, repeats in lengths.items()]
    return [
        Figure(
            name=f"encoding, {row['minutes']:.0f} min call",
            ours=row["ours_seconds"],
            limit=row["ffmpeg_seconds"],
            unit="s",
            ratio=row["ratio"],
            aim=f"{AIM}",
            met=row["ratio"] >= AIM,
            note=f"ffmpeg alone/ours; into the storage {row['stored_seconds']:.2f} s",
        )
        for row in rows
    ]


def _measure(directory: Path, minutes: int, repeats: int) -> dict[str, float]:
    pair = SpoolPair(directory=directory, name=f"bench-{minutes}")
    _speak(pair.caller, "caller", minutes)
    _speak(pair.company, "company", minutes)
    storage = Storage.open(directory / "storage")
    times: dict[str, list[float]] = {"ffmpeg": [], "ours": [], "stored": []}
    for _ in range(repeats):
        times["ffmpeg"].append(_timed(lambda: _ffmpeg_alone(pair, directory / "alone.mp3")))
        times["ours"].append(_timed(lambda: _ours(pair, directory / "ours.mp3")))
        times["stored"].append(
            _timed(partial(_stored, _copied(pair, directory / "copy"), storage, directory))
        )
    ffmpeg, ours, stored = (median(times[who]) for who in ("ffmpeg", "ours", "stored"))
    return {
        "minutes": minutes,
        "ffmpeg_seconds": round(ffmpeg, 4),
        "ours_seconds": round(ours, 4),
        "stored_seconds": round(stored, 4),
        "ratio": round(ffmpeg / ours, 3),
    }


def _ffmpeg_alone(pair: SpoolPair, to: Path) -> None:
    raw = ["-f", "s16le", "-ar", "8000", "-ac", "1", "-i"]
    command = [
        "ffmpeg",
        "-nostdin",
        "-loglevel",
        "error",
        "-y",
        *raw,
        str(pair.caller),
        *raw,
        str(pair.company),
    ]
    command += ["-filter_complex", "join=inputs=2:channel_layout=stereo", "-ar", "16000"]
    command += ["-c:a", "libmp3lame", "-b:a", "48k", "-joint_stereo", "0", str(to)]
    subprocess.run(command, check=True)


def _ours(pair: SpoolPair, to: Path) -> None:
    with opened(pair) as audio:
        encode_pair(audio, to=to, encoder=Encoder())


def _stored(pair: SpoolPair, storage: Storage, work_dir: Path) -> None:
    store_pair(pair, storage=storage, key="bench.mp3", work_dir=work_dir)


def _copied(pair: SpoolPair, directory: Path) -> SpoolPair:
    directory.mkdir(exist_ok=True)
    for file in pair.files():
        shutil.copy(file, directory)
    return SpoolPair(directory=directory, name=pair.name)


def _speak(file: Path, who: str, minutes: int) -> None:
    """Fill a spool file with synthetic speech, repeated."""
    wav = file.with_suffix(".wav")
    subprocess.run(["espeak-ng", "-w", str(wav), _TEXTS[who]], check=True)
    sound = subprocess.run(
        [
            "ffmpeg",
            "-loglevel",
            "error",
            "-i",
            str(wav),
            "-ar",
            "8000",
            "-ac",
            "1",
            "-f",
            "s16le",
            "-",
        ],
        check=True,
        capture_output=True,
    ).stdout
    size = minutes * 60 * 8000 * 2
    file.write_bytes((sound * (size // len(sound) + 1))[:size])


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
